"""Which files of the workspace this process reads, modules included, and which folders it lists. What native code reads
by itself is not seen."""

from __future__ import annotations

import os
import sys
from typing import Any, Dict, List, Set

# Below these lies nothing of the user's own.
INSTALLED = ("node_modules", "site-packages", "dist-packages", "__pycache__", ".git")

LISTING = ("os.listdir", "os.scandir")


class FileObserver:
    def __init__(self) -> None:
        self._by_experiment: Dict[str, Set[str]] = {}
        self._seen: Set[str] = set()
        self._fresh: List[Dict[str, str]] = []
        self._root = ""
        sys.addaudithook(self._hear)

    def enter(self, experiment: str, root: str) -> None:
        """From here on this experiment reads. What lies outside of the root is nobody's concern."""
        self._root = root
        self._seen = self._by_experiment.setdefault(experiment, set())
        self._fresh = []

    def take(self) -> List[Dict[str, str]]:
        """What is new since the last call, but for installed packages. Paths are absolute."""
        if not self._fresh:
            return []
        fresh, self._fresh = self._fresh, []
        return fresh

    def _hear(self, event: str, args: Any) -> None:
        if event == "open":
            path, mode, flags = args
            if not _reads(mode, flags):
                return
        elif event in LISTING and not _is_import():
            path = "." if args[0] is None else args[0]
        else:
            return
        try:
            if isinstance(path, int):
                return  # a descriptor: it was opened before
            path = os.path.abspath(os.fsdecode(path))
        except (TypeError, ValueError, OSError):
            return
        if path in self._seen:
            return
        self._seen.add(path)
        if self._root and path.startswith(self._root + os.sep) and not is_installed(path, self._root):
            # Before it is read: a change that comes in between is then told as well.
            self._fresh.append({"path": path, "state": state_of(path)})


def is_installed(path: str, root: str) -> bool:
    parts = os.path.relpath(path, root).split(os.sep)
    return any(part in INSTALLED for part in parts)


def state_of(path: str) -> str:
    """Differs once a file, or what a folder holds, was written to. In the words of io/file-states.ts."""
    try:
        stats = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return "missing"
    except OSError as error:
        return str(error)
    return f"{stats.st_mtime_ns} {stats.st_size} {stats.st_ino}"


def _is_import() -> bool:
    """The import system lists every folder in which it looks for modules."""
    try:
        return sys._getframe(2).f_code.co_filename.startswith("<frozen importlib")
    except ValueError:
        return False  # native code lists it


def _reads(mode: Any, flags: Any) -> bool:
    if isinstance(mode, str):
        return mode.startswith("r") or "+" in mode
    if isinstance(flags, int):
        return flags & (os.O_WRONLY | os.O_CREAT) == 0
    return True
