"""The modules of experiments. Each experiment sees its own, however many name theirs alike."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import importlib.machinery
import importlib.util
import os
import sys
from types import ModuleType
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

from .failures import ReplicateFailure, error_info, missing_package, suggestion
from .observe import is_installed

COMPAT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "compat")

KINDS = ("datasources", "steps", "outputs", "verifiers")

# A folder with one of these is where a project's own imports start.
PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg", "requirements.txt")


class View(NamedTuple):
    """Whose modules, and where imports look. What a loader brings in is read by who uses it, not by who wrote it."""

    experiment: str
    folder: str


class Modules:
    """Loads the user's modules, each once for each experiment that uses them."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._loaded: Dict[Tuple[str, str], ModuleType] = {}
        self._local: Dict[View, Dict[str, ModuleType]] = {}
        self._paths: Dict[View, List[str]] = {}
        self._view: Optional[View] = None
        self._foreign: Dict[str, ModuleType] = {}
        self._common: Dict[Tuple[View, str, str], bool] = {}
        self._standard, self._installed = _split_path(sys.path)
        _read_sources_only(root)

    @contextlib.contextmanager
    def inside(self, folder: str) -> Iterator[None]:
        """For this experiment, imports mean what they mean in that folder."""
        before = self._view
        self._look(View(self._experiment, folder))
        try:
            yield
        finally:
            if before is not None:
                self._look(before)

    def enter(self, folder: str) -> None:
        """From here on the experiment of this folder uses modules."""
        self._look(View(folder, folder))

    @property
    def _experiment(self) -> str:
        if self._view is None:
            raise RuntimeError("Bug: no experiment was entered")
        return self._view.experiment

    def _look(self, view: View) -> None:
        if view == self._view:
            return
        before, left = self._view, self._take_local()
        if before is not None:
            self._local[before] = left
            # Modules may add to it, for what they import later.
            self._paths[before] = sys.path[:]
        self._view = view
        # A file of the user's never hides a module of Python's own.
        first = [*self._standard, *search_path(self._root, view.folder), *self._installed, COMPAT]
        sys.path[:] = self._paths.get(view, first)
        importlib.invalidate_caches()
        sys.modules.update(self._local.pop(view, {}))
        if before is not None and before.experiment == view.experiment:
            # A class that both import must be one, or what a loader has made is none of the experiment's.
            sys.modules.update({name: module for name, module in left.items() if self._is_common(name, left)})

    def _is_common(self, name: str, modules: Dict[str, ModuleType]) -> bool:
        """Whether the name means the same module where imports look now."""
        top = name.split(".")[0]
        if self._view is None or top not in modules:
            return False
        place = _place(modules[top])
        key = (self._view, top, place)
        if key not in self._common:
            spec = importlib.machinery.PathFinder.find_spec(top)
            self._common[key] = spec is not None and place == (spec.origin or str(list(spec.submodule_search_locations or [])))
        return self._common[key]

    def function(self, file: str, name: str) -> Any:
        """What a module has under a name. Raises ReplicateFailure when it has nothing to call there."""
        found = self.find(file, name)
        if found is not None:
            return found
        module = self.load(file)
        names = [key for key in vars(module) if callable(vars(module)[key]) and not key.startswith("_")]
        own = [key for key in names if getattr(vars(module)[key], "__module__", None) == module.__name__]
        where = os.path.relpath(file, self._root)
        remedy = suggestion(name, own, f"functions of {where}")
        raise ReplicateFailure("function-missing", name=name, file=where, remedy=remedy)

    def find(self, file: str, name: str) -> Any:
        found = getattr(self.load(file), name, None)
        return found if callable(found) else None

    def load(self, file: str) -> ModuleType:
        key = (self._experiment, file)
        known = self._loaded.get(key)
        if known is not None:
            return known
        folder = os.path.dirname(file)
        with self.inside(folder):
            try:
                module = _import_file(self._root, folder, file)
            except ReplicateFailure:
                raise
            except BaseException as error:
                raise self._load_failure(file, error) from error
        self._loaded[key] = module
        return module

    def _load_failure(self, file: str, error: BaseException) -> ReplicateFailure:
        where = os.path.relpath(file, self._root)
        info, package = self._explain(error, os.path.dirname(file))
        if package is None:
            return ReplicateFailure("module-threw", file=where, error=info)
        what, install = _missing(package)
        return ReplicateFailure("package-missing", file=where, package=what, install=install, error=info)

    def explain(self, error: BaseException, folder: str) -> Dict[str, str]:
        """What a step or a datasource threw, which may import what it needs when it runs."""
        info, package = self._explain(error, folder)
        if package is not None:
            what, install = _missing(package)
            info["message"] += f'. {what}. Install it with "{install}"'
        return info

    def _explain(self, error: BaseException, folder: str) -> Tuple[Dict[str, str], Optional[str]]:
        """The error, and the package that is missing; a module of the workspace that is mistyped is none."""
        info = error_info(error, self._root)
        missing = missing_package(error)
        if missing is None:
            return info, None
        own = _own_modules(search_path(self._root, folder))
        near = difflib.get_close_matches(missing, own, 1)
        if not near and missing not in own:
            return info, missing
        # Whoever mistypes a module of their own must not be told to install one of that name.
        info["message"] += f'. Did you mean "{near[0]}"?' if missing not in own else ""
        return info, None

    def _take_local(self) -> Dict[str, ModuleType]:
        """Removes the workspace's own modules from those that Python knows."""
        local: Dict[str, ModuleType] = {}
        for name, module in list(sys.modules.items()):
            # There are many of them, and each artifact that is read asks twice.
            if self._foreign.get(name) is module:
                continue
            if self._is_local(module):
                local[name] = module
            else:
                self._foreign[name] = module
        # Only now: where a package without __init__.py lies is asked of the one that it is in.
        for name in local:
            del sys.modules[name]
        return local

    def _is_local(self, module: Any) -> bool:
        # A package without __init__.py has no file, only folders.
        places = [getattr(module, "__file__", None) or ""]
        if not places[0]:
            try:
                places = list(getattr(module, "__path__", []))
            except Exception:
                return False
        return any(
            isinstance(place, str) and place.startswith(self._root + os.sep) and not is_installed(place, self._root)
            for place in places
        ) or any(place == self._root for place in places)


def _place(module: ModuleType) -> str:
    """A package without __init__.py has no file, only folders."""
    return getattr(module, "__file__", None) or str(list(getattr(module, "__path__", [])))


def _missing(package: str) -> Tuple[str, str]:
    """What that means, and the command that installs it."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    what = f"{package} is not installed for {sys.executable} (Python {version})"
    return what, f"{sys.executable} -m pip install {package}"


def search_path(root: str, folder: str) -> List[str]:
    """
    Where imports of an experiment look in the workspace: its folder, its Python project, the workspace; and in the `src` of a
    project, where an editable installation would find it.
    """
    path = [folder]
    at = os.path.dirname(folder)
    while at.startswith(root + os.sep):
        if _is_project(at):
            path.append(at)
            break
        at = os.path.dirname(at)
    sources = [os.path.join(at, "src") for at in [*path, root] if _is_project(at)]
    return [*path, root, *(at for at in sources if os.path.isdir(at))]


def _is_project(folder: str) -> bool:
    return any(os.path.exists(os.path.join(folder, name)) for name in PROJECT_FILES)


def _split_path(path: List[str]) -> Tuple[List[str], List[str]]:
    """What Python brings along, and what is installed beside it."""
    for at, folder in enumerate(path):
        if os.path.basename(folder) in ("site-packages", "dist-packages"):
            return path[:at], path[at:]
    return path[:], []


def _own_modules(path: List[str]) -> List[str]:
    """Names of what could be imported from the workspace itself."""
    found = set()
    for folder in path:
        with contextlib.suppress(OSError):
            for entry in os.scandir(folder):
                name, extension = os.path.splitext(entry.name)
                if (extension == ".py" or entry.is_dir()) and name.isidentifier():
                    found.add(name)
    return sorted(found)


def _import_file(root: str, folder: str, file: str) -> ModuleType:
    """
    Loads a file under the name that it has from the root, so that imports relative to it work; `import steps` beside it
    finds the same module.
    """
    kind = os.path.splitext(os.path.basename(file))[0]
    package = os.path.relpath(folder, root).replace(os.sep, ".")
    name = kind
    if "." not in os.path.basename(folder) and not package.startswith("."):
        try:
            importlib.import_module(package)
            name = f"{package}.{kind}"
        except ImportError:
            name = kind
    # Another module of the experiment may have imported it.
    for known in (sys.modules.get(name), sys.modules.get(kind)):
        if known is not None and getattr(known, "__file__", None) == file:
            sys.modules[name] = known
            return known
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    if kind in KINDS:
        sys.modules[kind] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        sys.modules.pop(kind, None)
        raise
    return module


def _read_sources_only(root: str) -> None:
    """
    Compiled files of the workspace are neither written, which would litter it, nor read: Python tells them apart by the
    second of their change and their size, which an edit need not alter.
    """
    loader: Any = importlib.machinery.SourceFileLoader
    original: Callable[[Any, str], Any] = loader.path_stats

    def path_stats(self: Any, path: str) -> Any:
        if path.startswith(root + os.sep) and not is_installed(path, root):
            raise OSError("always from the source")
        return original(self, path)

    loader.path_stats = path_stats
