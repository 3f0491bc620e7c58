"""What steps print becomes log messages of their replicate, line by line."""

from __future__ import annotations

import contextvars
import io
import logging
from typing import Callable, Optional

# Lines that one replicate may print before the rest is dropped.
MAX_LOG_LINES = 200
MAX_LOG_LINE = 2000

Log = Callable[[Optional[int], str], None]


class Printer:
    """The lines of one replicate, or of what runs outside of one."""

    __slots__ = ("replicate", "_log", "_logged", "_partial")

    def __init__(self, replicate: Optional[int], log: Log) -> None:
        self.replicate = replicate
        self._log = log
        self._logged = 0
        self._partial = ""

    def write(self, text: str) -> None:
        *lines, rest = text.split("\n")
        for line in lines:
            self.line(self._partial + line)
            self._partial = ""
        self._partial = _redrawn(self._partial + rest)[:MAX_LOG_LINE]

    def line(self, text: str) -> None:
        self._logged += 1
        text = _redrawn(text).rstrip("\r")
        if self._logged < MAX_LOG_LINES:
            self._log(self.replicate, text[:MAX_LOG_LINE])
        elif self._logged == MAX_LOG_LINES:
            self._log(self.replicate, "(further lines are dropped)")

    def end(self) -> None:
        """Prints what was written without an end of line."""
        if self._partial:
            self.line(self._partial)
            self._partial = ""


def _redrawn(line: str) -> str:
    """What a terminal would show: progress bars begin their line anew with each carriage return."""
    return line[line.rstrip("\r").rfind("\r") + 1 :]


class _Target:
    """Where text goes: set for all, or by the context of interleaved replicates."""

    def __init__(self) -> None:
        self.alone: Optional[Printer] = None
        self.interleaved: contextvars.ContextVar[Optional[Printer]] = contextvars.ContextVar(
            "nx_experiments_printer", default=None
        )

    def current(self) -> Optional[Printer]:
        return self.interleaved.get() or self.alone


target = _Target()


class CapturedStream(io.TextIOBase):
    """Stands for sys.stdout and sys.stderr."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.buffer = _Bytes(self)

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        printer = target.current()
        if printer is not None:
            printer.write(text)
        return len(text)

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return False

    def reconfigure(self, **_: object) -> None:
        """Scripts ask for UTF-8, or for lines at once: they have both."""


class _Bytes(io.RawIOBase):
    """`sys.stdout.buffer`."""

    def __init__(self, stream: CapturedStream) -> None:
        self._stream = stream

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:  # type: ignore[override]
        data = bytes(data)
        self._stream.write(data.decode("utf-8", "replace"))
        return len(data)


class _LogHandler(logging.Handler):
    """`ctx.logger` prints."""

    def emit(self, record: logging.LogRecord) -> None:
        printer = target.current()
        if printer is not None:
            for line in self.format(record).split("\n"):
                printer.line(line)


def logger() -> logging.Logger:
    made = logging.getLogger("crystallize")
    if not any(isinstance(handler, _LogHandler) for handler in made.handlers):
        made.addHandler(_LogHandler())
        made.setLevel(logging.INFO)
        made.propagate = False
    return made
