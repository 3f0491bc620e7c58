"""A child that a step has forked is no worker: it ends where its step ends, or it would run what waits a second time."""

from __future__ import annotations

import os
import sys
import traceback
from typing import Optional

_PID = os.getpid()


def is_fork() -> bool:
    return os.getpid() != _PID


def end_fork(error: Optional[BaseException] = None) -> None:
    """Ends such a child with the code that Python would end it with, so that whoever waits for it goes on."""
    if is_fork():
        os._exit(_code(error))


def _code(error: Optional[BaseException]) -> int:
    if isinstance(error, SystemExit):
        if error.code is None:
            return 0
        if isinstance(error.code, int):
            return error.code & 0xFF
    if error is None:
        return 0
    if sys.__stderr__ is not None:
        traceback.print_exception(type(error), error, error.__traceback__, file=sys.__stderr__)
    return 1
