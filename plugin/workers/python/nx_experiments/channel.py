"""Lines of JSON to and from the process that owns this worker."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from typing import Any, Callable, Dict, Iterator

from .forks import is_fork

FROM_PARENT = 3
TO_PARENT = 4

# Answers of fast replicates are sent together; none waits longer than this while others finish.
SEND_EVERY = 0.005
SEND_LENGTH = 65_536

READ_SIZE = 1 << 16

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode


class Channel:
    """Sends messages at once, but for answers of replicates, which may travel together."""

    def __init__(self) -> None:
        self._unsent: list[str] = []
        self._length = 0
        self._sent_at = 0.0
        self._lock = threading.RLock()
        for descriptor in (FROM_PARENT, TO_PARENT):
            os.set_inheritable(descriptor, False)

    def send(self, message: Dict[str, Any], may_wait: bool = False) -> None:
        if is_fork():
            return
        text = _encode(message)
        with self._lock:
            self._unsent.append(text)
            self._length += len(text)
            if may_wait and self._length < SEND_LENGTH and time.monotonic() - self._sent_at < SEND_EVERY:
                return
            self.flush()

    def flush(self) -> None:
        """Synchronous, so that nothing is lost when a step ends the process."""
        with self._lock:
            if not self._unsent:
                return
            # The line break in front ends whatever the user's code may have written to this descriptor.
            data = ("\n" + "\n".join(self._unsent) + "\n").encode("ascii")
            self._unsent.clear()
            self._length = 0
            view = memoryview(data)
            while view:
                try:
                    view = view[os.write(TO_PARENT, view) :]
                except BlockingIOError:
                    time.sleep(0.001)
                except BrokenPipeError:
                    die_with_group()
            self._sent_at = time.monotonic()


def receive(handle: Callable[[Dict[str, Any]], None]) -> None:
    """Hands on each message, until the owner of this process is gone: then everything here ends."""
    for line in _lines():
        handle(json.loads(line))
    die_with_group()


def _lines() -> Iterator[bytes]:
    partial = b""
    while True:
        try:
            chunk = os.read(FROM_PARENT, READ_SIZE)
        except OSError:
            return
        if not chunk:
            return
        # Only "\n" ends a line: JSON text may contain every other separator.
        *whole, partial = (partial + chunk).split(b"\n")
        for line in whole:
            if line:
                yield line


def die_with_group() -> None:
    """Ends this process with all that its steps have spawned: it leads a process group."""
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)
