"""Replicates that run interleaved in one event loop, each with random numbers and output of its own."""

from __future__ import annotations

import asyncio
import contextvars
from typing import Any, Coroutine, Generator, Optional

from . import seeding
from .output import Printer, target


class Stream:
    """The state of the random generators of one replicate, while others have theirs installed."""

    def __init__(self, seed: int) -> None:
        seeding.seed_all(seed)
        self.state = seeding.state()


_stream: contextvars.ContextVar[Optional[Stream]] = contextvars.ContextVar("nx_experiments_stream", default=None)


class _Seeded:
    """Installs the state of a stream whenever its coroutine goes on."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], stream: Stream) -> None:
        self._coroutine = coroutine
        self._stream = stream

    def __await__(self) -> Generator[Any, Any, Any]:
        inner = self._coroutine.__await__()
        send, value = inner.send, None
        while True:
            seeding.restore(self._stream.state)
            try:
                waiting = send(value)
            except StopIteration as stop:
                return stop.value
            finally:
                self._stream.state = seeding.state()
            try:
                value = yield waiting
                send = inner.send
            except BaseException as error:
                value = error
                send = inner.throw


def task_factory(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
    """Tasks that a replicate starts draw from its stream too."""
    stream = _stream.get()
    if stream is not None:

        async def seeded() -> Any:
            return await _Seeded(coroutine, stream)

        return asyncio.Task(seeded(), loop=loop, **options)
    return asyncio.Task(coroutine, loop=loop, **options)


def enter(seed: int, printer: Printer) -> None:
    """What the current context runs from here on is a replicate with this seed and this output."""
    target.interleaved.set(printer)
    _stream.set(Stream(seed))
