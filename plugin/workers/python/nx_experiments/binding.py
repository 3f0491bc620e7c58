"""Finds the functions that a job names, and makes them into what Crystallize calls steps and datasources."""

from __future__ import annotations

import inspect
import os
import re
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Set, Tuple

from .additions import may_add
from .artifacts import Output, Unencoded
from .failures import ReplicateFailure, error_info, suggestion
from .formats import LOADERS, WRITERS, dump_bytes, load_bytes, loader_by_extension
from .modules import Modules

ARTIFACT_ANNOTATION = re.compile(r"(?:\w+\.)*Artifact")

# What the engine itself puts into the context.
RESERVED = ("replicate", "condition", "seed_used")

# Files of shared file systems may be seen a moment late.
LATE = (0.0, 0.05, 0.2, 1.0)

Read = Callable[[Any, int], Any]


class BoundStep(NamedTuple):
    name: str
    step: Any


class Binder:
    def __init__(self, job: Dict[str, Any], modules: Modules, crystallize: Any) -> None:
        self._job = job
        self._modules = modules
        self._crystallize = crystallize
        self._root: str = job["root"]
        self._step_parameters: Set[str] = set()
        self._behind_defaults: List[Tuple[str, str]] = []
        self._made_steps: List[Tuple[str, Any]] = []
        self._made_sources: List[Tuple[str, Any]] = []
        self.outputs = {output["fileName"]: self._output(output) for output in job["outputs"]}
        self._artifacts = {
            output.alias: crystallize.Artifact(name=output.file_name, loader=None, writer=Unencoded)
            for output in self.outputs.values()
        }

    def check_context(self) -> None:
        for key in RESERVED:
            if key in self._job["context"]:
                raise ReplicateFailure("context-reserved", key=key)

    def step(self, step: Dict[str, Any]) -> BoundStep:
        factory = self._factory("steps", step["name"], "@pipeline_step()")
        name, given = step["name"], dict(step["args"])
        parameters = _parameters(factory)
        self._check_arguments(name, given, parameters)
        self._step_parameters.update(parameter.name for parameter in parameters)
        for parameter in parameters:
            if not _is_artifact(parameter.annotation, self._crystallize.Artifact):
                continue
            alias = given.get(parameter.name, parameter.name)
            if isinstance(alias, str) and alias in self._artifacts:
                given[parameter.name] = self._artifacts[alias]
            elif parameter.name in given:
                remedy = suggestion(str(alias), self._artifacts, "outputs")
                raise ReplicateFailure("output-unknown", output=str(alias), step=name, remedy=remedy)
        made = self._make("steps", name, factory, given)
        if not callable(made):
            raise self._undecorated("steps", name, "@pipeline_step()")
        self._made_steps.append((name, made))
        return BoundStep(name, made)

    def source(self, source: Dict[str, Any]) -> Tuple[str, Read]:
        """How a datasource is read: by the context and the replicate's index."""
        if source["type"] == "artifact":
            return source["alias"], self._reader(source)
        name = source["name"]
        factory = self._factory("datasources", name, "@data_source")
        parameters = _parameters(factory)
        self._check_arguments(name, source["args"], parameters)
        for parameter in parameters:
            if parameter.name in source["args"] or parameter.name not in self._job["context"]:
                continue
            if _has_other_default(parameter, self._job["context"][parameter.name]):
                self._behind_defaults.append((name, parameter.name))
        made = self._make("datasources", name, factory, source["args"])
        if not hasattr(made, "fetch"):
            raise self._undecorated("datasources", name, "@data_source")
        self._made_sources.append((name, made))
        return source["alias"], lambda ctx, _replicate: made.fetch(ctx)

    def check_parameters(self, context: Iterable[str]) -> None:
        """Raises for one that has a value in no replicate: as far as functions before it add nothing to the context."""
        known = {*context, *RESERVED}
        for name, made in self._made_sources + self._made_steps:
            if not _is_from_function(made):
                return
            for parameter in made.required:
                if parameter not in known:
                    raise parameter_missing(name, parameter, made.takes_data)
            if may_add(made.function):
                return

    @property
    def warnings(self) -> List[str]:
        """Values that reach nothing, since Crystallize's datasources take a default before the context."""
        return [
            f'"{parameter}" has no effect on {name}: the default of a datasource goes before it. '
            f'Give it as an argument, under "datasource".'
            for name, parameter in self._behind_defaults
            if parameter not in self._step_parameters
        ]

    def _factory(self, kind: str, name: str, decorator: str) -> Any:
        file = self._job["modules"].get(kind)
        if file is None:
            raise ReplicateFailure("module-missing", module=kind, folder=self._relative(self._job["folder"]))
        factory = self._modules.function(file, name)
        own = _parameters(factory, follow=False)
        if inspect.isfunction(factory) and own and own[0].name in ("data", "ctx"):
            raise self._undecorated(kind, name, decorator)
        return factory

    def _make(self, kind: str, name: str, factory: Any, given: Dict[str, Any]) -> Any:
        try:
            return factory(**given)
        except Exception as error:
            info = error_info(error, self._root)
            if kind == "steps":
                raise ReplicateFailure("step-threw", step=name, error=info) from error
            raise ReplicateFailure("datasource-threw", datasource=name, error=info) from error

    def _undecorated(self, kind: str, name: str, decorator: str) -> ReplicateFailure:
        file = self._relative(self._job["modules"][kind])
        return ReplicateFailure("function-undecorated", name=name, file=file, decorator=decorator)

    def _check_arguments(self, name: str, given: Dict[str, Any], parameters: List[inspect.Parameter]) -> None:
        if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters):
            return
        known = [parameter.name for parameter in parameters if parameter.name not in ("data", "ctx", "self")]
        for argument in given:
            if argument not in known:
                remedy = suggestion(argument, known, f"parameters of {name}")
                raise ReplicateFailure("parameter-unknown", parameter=argument, step=name, remedy=remedy)

    def _reader(self, source: Dict[str, Any]) -> Read:
        loader = source.get("loader")
        name = "load_bytes" if loader is None else loader["name"]
        load = load_bytes if loader is None else self._loader(source, loader)
        root = self._root

        def read(_ctx: Any, replicate: int) -> Any:
            folder = f"replicate_{replicate % source['replicates']}"
            path = os.path.join(source["artifacts"], folder, *source["fileName"].split("/"))
            if not _appears(path):
                maker = {"experiment": source["experiment"], "condition": source["condition"]}
                raise ReplicateFailure("upstream-missing", path=os.path.relpath(path, root), maker=maker)
            try:
                return load(Path(path))
            except ReplicateFailure:
                raise
            except Exception as error:
                where = os.path.relpath(path, root)
                info = error_info(error, root)
                raise ReplicateFailure("loader-threw", path=where, loader=name, error=info) from error

        return read

    def _loader(self, source: Dict[str, Any], loader: Dict[str, Any]) -> Callable[[Path], Any]:
        """The producer's own, when it speaks Python; else one of ours by that name; else what the file's name tells."""
        name: str = loader["name"]
        module: Optional[str] = loader.get("module")
        if module is None or module.endswith(".py"):
            return self._pick("loader", module, name, LOADERS, source["experiment"])
        outputs = self._job["modules"].get("outputs")
        own = None if outputs is None else self._modules.find(outputs, name)
        found = own or LOADERS.get(name) or loader_by_extension(source["fileName"])
        if found is None:
            raise ReplicateFailure(
                "loader-foreign",
                loader=name,
                producer=os.path.relpath(module, self._root),
                fileName=source["fileName"],
                outputs=self._relative(os.path.join(self._job["folder"], "outputs.py")),
            )
        return found

    def _output(self, output: Dict[str, Any]) -> Output:
        writer = output.get("writer")
        if writer is None:
            return Output(output["alias"], output["fileName"], "dump_bytes", dump_bytes)
        owner = self._relative(self._job["folder"])
        write = self._pick("writer", self._job["modules"].get("outputs"), writer, WRITERS, owner)
        return Output(output["alias"], output["fileName"], writer, write)

    def _pick(
        self, kind: str, file: Optional[str], name: str, built_in: Dict[str, Callable[..., Any]], owner: str
    ) -> Callable[..., Any]:
        """The module's own function goes before the built-in one of that name."""
        own = None if file is None else self._modules.find(file, name)
        if file is not None and own is not None:
            folder = os.path.dirname(file)
            if folder == self._job["folder"]:
                return own
            return self._elsewhere(folder, own)
        if name in built_in:
            return built_in[name]
        if file is not None:
            return self._modules.function(file, name)
        remedy = suggestion(name, built_in, f"built-in {kind}s")
        raise ReplicateFailure("format-missing", kind=kind, name=name, owner=owner, remedy=remedy)

    def _elsewhere(self, folder: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """What another experiment's function imports while it runs is that experiment's."""

        def called(*args: Any) -> Any:
            with self._modules.inside(folder):
                return call(*args)

        return called

    def _relative(self, path: str) -> str:
        return os.path.relpath(path, self._root)


def import_crystallize() -> Any:
    """Crystallize itself where it is installed, else our own part of it."""
    import crystallize  # type: ignore[import-not-found]

    return crystallize


def missing_parameter(error: BaseException) -> Optional[str]:
    """The parameter without a value, when that is what an error of our own part of Crystallize tells."""
    decorators = sys.modules.get("crystallize._decorators")
    missing = getattr(decorators, "MissingParameter", None)
    return error.parameter if missing is not None and isinstance(error, missing) else None  # type: ignore[attr-defined]


def parameter_missing(step: str, parameter: str, takes_data: bool) -> ReplicateFailure:
    told = {} if takes_data else {"withoutData": True}
    return ReplicateFailure("parameter-missing", parameter=parameter, step=step, **told)


def _is_from_function(made: Any) -> bool:
    """Whether our own part of Crystallize has made it."""
    decorators = sys.modules.get("crystallize._decorators")
    kind = getattr(decorators, "FromFunction", None)
    return kind is not None and isinstance(made, kind)


def _parameters(function: Any, follow: bool = True) -> List[inspect.Parameter]:
    try:
        return list(inspect.signature(function, follow_wrapped=follow).parameters.values())
    except (TypeError, ValueError):
        return []


def _has_other_default(parameter: inspect.Parameter, value: Any) -> bool:
    if parameter.default is inspect.Parameter.empty:
        return False
    try:
        return not parameter.default == value
    except Exception:
        # Arrays and the like, which no value of a config.yaml is equal to.
        return True


def _is_artifact(annotation: Any, artifact: Any) -> bool:
    if isinstance(annotation, str):
        return ARTIFACT_ANNOTATION.fullmatch(annotation.strip("\"' ")) is not None
    return annotation is artifact


def _appears(path: str) -> bool:
    for pause in LATE:
        time.sleep(pause)
        if os.path.exists(path):
            return True
    return False
