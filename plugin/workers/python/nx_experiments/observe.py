"""Which files this process reads, modules included, and of which folders it asks for the names.

What native code reads by itself is not seen, nor whether a file was asked to be there.
"""

from __future__ import annotations

import os
import sys
from typing import Any, Dict, List, Set

# Below these lies nothing of the user's own.
INSTALLED = ("node_modules", "site-packages", "dist-packages", "__pycache__", ".git")

PYTHON = tuple({place + os.sep for place in (sys.prefix, sys.base_prefix, sys.exec_prefix) if place != os.sep})


class FileObserver:
    def __init__(self) -> None:
        self._by_experiment: Dict[str, Set[str]] = {}
        self._seen: Set[str] = set()
        self._fresh: Dict[str, str] = {}
        sys.addaudithook(self._hear)

    def enter(self, experiment: str) -> None:
        """From here on this experiment reads."""
        # What nobody has been told of has to be told when it is read again.
        self._seen.difference_update(self._fresh)
        self._fresh = {}
        self._seen = self._by_experiment.setdefault(experiment, set())

    def take(self, root: str) -> List[Dict[str, str]]:
        """What is new since the last call, but for what is installed. Paths are absolute, those of folders end with a separator."""
        if not self._fresh:
            return []
        fresh, self._fresh = self._fresh, {}
        return [
            {"path": path, "state": state}
            for path, state in fresh.items()
            if not path.startswith(PYTHON) and not is_installed(path, root)
        ]

    def _hear(self, event: str, args: Any) -> None:
        if event == "open":
            path, mode, flags = args
            if _reads(mode, flags):
                self._note(path, "")
        elif event in ("os.listdir", "os.scandir") and not _imports():
            self._note("." if args[0] is None else args[0], os.sep)

    def _note(self, path: Any, end: str) -> None:
        try:
            if isinstance(path, int):
                return  # a descriptor: it was opened before
            path = os.path.abspath(os.fsdecode(path)) + end
        except (TypeError, ValueError, OSError):
            return
        if path not in self._seen:
            self._seen.add(path)
            self._fresh[path] = _state(path)


def _imports() -> bool:
    """Whether the folder is listed to find modules. Called by the hook, which is called by who lists it."""
    caller = sys._getframe(1).f_back
    name = None if caller is None else caller.f_globals.get("__name__")
    return isinstance(name, str) and name.startswith(("importlib", "_frozen_importlib", "pkgutil"))


def _state(path: str) -> str:
    """As Node tells it."""
    try:
        stats = os.stat(path)
    except OSError:
        return "missing"
    return f"{stats.st_mtime_ns // 1_000_000} {stats.st_size}"


def is_installed(path: str, root: str) -> bool:
    parts = path[len(root) if path.startswith(root + os.sep) else 0 :].split(os.sep)
    return any(part in INSTALLED for part in parts)


def _reads(mode: Any, flags: Any) -> bool:
    if isinstance(mode, str):
        # What is opened for writing alone, or empty, reads nothing that was there before.
        return mode.startswith("r") or mode.startswith("a") and "+" in mode
    if isinstance(flags, int):
        return flags & (os.O_WRONLY | os.O_CREAT) == 0
    return True
