"""Which files this process reads, modules, native libraries and SQLite databases included, and which folders it lists.

What native code reads by itself is not seen, nor whether a file was asked to be there.
"""

from __future__ import annotations

import os
import sys
from typing import Any, Dict, List, Optional, Set
from urllib.parse import unquote

# Below these lies nothing of the user's own.
INSTALLED = ("node_modules", "site-packages", "dist-packages", "__pycache__", ".git")

PYTHON = tuple({place + os.sep for place in (sys.prefix, sys.base_prefix, sys.exec_prefix) if place != os.sep})

LISTING = ("os.listdir", "os.scandir")

EVENTS = frozenset(("open", *LISTING, "import", "ctypes.dlopen", "sqlite3.connect"))


class FileObserver:
    def __init__(self) -> None:
        self._by_experiment: Dict[str, Set[str]] = {}
        self._seen: Set[str] = set()
        self._fresh: List[Dict[str, str]] = []
        self._ignored = PYTHON
        sys.addaudithook(self._hear)

    def enter(self, experiment: str, root: str) -> None:
        """From here on this experiment reads."""
        # A workspace may lie where Python is installed, such as /usr/src/app.
        self._ignored = tuple(place for place in PYTHON if not f"{root}{os.sep}".startswith(place))
        # What nobody has been told of has to be told when it is read again.
        self._seen.difference_update(read["path"] for read in self._fresh)
        self._fresh = []
        self._seen = self._by_experiment.setdefault(experiment, set())

    def take(self, root: str) -> List[Dict[str, str]]:
        """What is new since the last call, but for what is installed. Paths are absolute."""
        if not self._fresh:
            return []
        fresh, self._fresh = self._fresh, []
        return [read for read in fresh if not is_installed(read["path"], root)]

    def _hear(self, event: str, args: Any) -> None:
        if event not in EVENTS:
            return
        try:
            path = _read_by(event, args)
            if path is None or isinstance(path, int):
                return  # a descriptor was opened before
            path = os.path.abspath(os.fsdecode(path))
        except (TypeError, ValueError, OSError):
            return
        if path in self._seen:
            return
        self._seen.add(path)
        if not path.startswith(self._ignored):
            # Before it is read: a change that comes in between is then told as well.
            self._fresh.append({"path": path, "state": state_of(path)})


def _read_by(event: str, args: Any) -> Any:
    """What an event tells to be read: a path, a descriptor, or nothing."""
    if event == "open":
        path, mode, flags = args
        return path if _reads(mode, flags) else None
    if event in LISTING:
        return None if _is_import() else "." if args[0] is None else args[0]
    if event == "import":
        return args[1]  # of a module in native code; others are opened
    if event == "ctypes.dlopen":
        return _library(args[0])
    return _database(args[0])


def is_installed(path: str, root: str) -> bool:
    parts = path[len(root) if path.startswith(root + os.sep) else 0 :].split(os.sep)
    return any(part in INSTALLED for part in parts)


def state_of(path: str) -> str:
    """Differs once a file, or what a folder holds, was written to. In the words of io/changes/file-states.ts."""
    try:
        stats = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return "missing"
    except OSError as error:
        return str(error)
    return f"{stats.st_mtime_ns} {stats.st_size} {stats.st_ino}"


def _is_import() -> bool:
    """The import system lists every folder in which it looks for modules, as who asks for installed packages does, and we."""
    caller = sys._getframe(2).f_back
    name = None if caller is None else caller.f_globals.get("__name__")
    return isinstance(name, str) and name.startswith(("importlib", "_frozen_importlib", "pkgutil", "nx_experiments."))


def _library(name: Any) -> Any:
    """The system looks for a name without a folder in places of its own."""
    return name if name is not None and os.path.dirname(name) else None


def _database(name: Any) -> Optional[str]:
    path = os.fsdecode(name)
    if path.startswith("file:"):
        path = unquote(path[len("file:") :].split("?")[0])
    return None if path in ("", ":memory:") else path


def _reads(mode: Any, flags: Any) -> bool:
    if isinstance(mode, str):
        # What is opened for writing alone, or empty, reads nothing that was there before.
        return mode.startswith("r") or (mode.startswith("a") and "+" in mode)
    if isinstance(flags, int):
        return flags & (os.O_WRONLY | os.O_CREAT) == 0
    return True
