"""What went wrong, in the words of the protocol."""

from __future__ import annotations

import difflib
import os
import re
import sys
import traceback
from typing import Any, Dict, Iterable, List, Optional

MAX_TEXT = 4000
MAX_FRAMES = 12
MAX_CAUSES = 3

OWN_CODE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
STANDARD_LIBRARY = os.path.dirname(os.path.abspath(os.__file__)) + os.sep


class ReplicateFailure(Exception):
    """A failure that the worker itself raises, where the user's code may be on the stack."""

    def __init__(self, reason: str, **details: Any) -> None:
        super().__init__(reason)
        self.failure: Dict[str, Any] = {"reason": reason, **details}


def error_info(error: BaseException, root: str) -> Dict[str, str]:
    """Name, message and the frames of the user's own code. Paths become relative to the root."""
    try:
        message = _message(error)
        for cause in _causes(error):
            message += f"; caused by {type(cause).__name__}: {_message(cause)}"
        for part in _parts(error):
            message += f"; of which {type(part).__name__}: {_message(part)}"
        return {
            "name": _shorten(type(error).__name__),
            "message": _shorten(without_addresses(_relative(message, root))),
            "stack": _frames(error, root),
        }
    except Exception:
        return {"name": "an error", "message": "one that cannot be shown", "stack": ""}


def without_addresses(text: str) -> str:
    """Where an object lies differs from run to run."""
    return re.sub(r" at 0x[0-9a-fA-F]+\b", "", text)


def suggestion(name: str, known: Iterable[str], what: str) -> str:
    """The nearest known name, or all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, 1)
    if near:
        return f'Did you mean "{near[0]}"?'
    return f"Known {what}: {', '.join(names)}." if names else f"There are no {what}."


def _message(error: BaseException) -> str:
    if isinstance(error, ReplicateFailure):
        return str(error.failure)
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        return f"{error.msg} at {error.filename}:{error.lineno}"
    if isinstance(error, KeyError) and len(error.args) == 1:
        return repr(error.args[0])
    return str(error)


def _causes(error: BaseException) -> List[BaseException]:
    """Libraries often keep the interesting part in the cause."""
    found: List[BaseException] = []
    at: Optional[BaseException] = error
    while at is not None and len(found) < MAX_CAUSES:
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
        if at is not None and not isinstance(at, ReplicateFailure):
            found.append(at)
    return found


def _parts(error: BaseException) -> List[BaseException]:
    """Of a group, as tasks that run together raise it, the first ones: the group itself says how many there are."""
    parts = getattr(error, "exceptions", ())
    if type(error).__name__ not in ("ExceptionGroup", "BaseExceptionGroup") or not isinstance(parts, tuple):
        return []
    return [part for inner in parts for part in _parts(inner) or [inner]][:MAX_CAUSES]


def _frames(error: BaseException, root: str) -> str:
    lines = []
    for frame in traceback.extract_tb(error.__traceback__):
        path = os.path.abspath(frame.filename)
        if path.startswith((OWN_CODE, STANDARD_LIBRARY)) or frame.filename.startswith("<"):
            continue
        lines.append(f"at {frame.name} ({path}:{frame.lineno})")
    # Like the stacks of other languages: what threw goes first.
    return _relative("\n".join(_shorten(line) for line in lines[::-1][:MAX_FRAMES]), root)


def _relative(text: str, root: str) -> str:
    return text.replace(root + os.sep, "")


def _shorten(text: str) -> str:
    return f"{text[:MAX_TEXT]}… ({len(text)} characters)" if len(text) > MAX_TEXT else text


def missing_package(error: BaseException) -> Optional[str]:
    """The name of a package, when an import failed because it is not there."""
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return None
    package = error.name.split(".")[0]
    # A package that is there may lack a module.
    return None if package in sys.modules else package
