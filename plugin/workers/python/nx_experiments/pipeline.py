"""Datasource -> steps -> outputs of one condition, with every function found."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Mapping
from typing import Any, Callable, Dict, Generator, List, Optional, Tuple

from .artifacts import ReplicateArtifacts
from .binding import Binder, BoundStep, Read, import_crystallize, missing_parameter, parameter_missing
from .failures import ReplicateFailure
from .forks import end_fork
from .metrics import Metrics
from .modules import Modules
from .output import logger
from .seeding import keeps_numbers

# Yields what has to be awaited, and is sent its result.
Pass = Generator[Any, Any, Dict[str, Any]]
Enter = Callable[[str], None]


class Pipeline:
    """Raises ReplicateFailure when a module or a function is missing: no replicate can run."""

    def __init__(self, job: Dict[str, Any], modules: Modules) -> None:
        _restore_floats(job)
        self._job = job
        self._root: str = job["root"]
        self._modules = modules
        self._logger = logger()
        # What its steps make once: each thread its own, since few clients may be shared among them.
        self._resources = threading.local()
        unseeded: List[str] = []
        for kind in ("steps", "datasources"):
            file = job["modules"].get(kind)
            if file is not None:
                held = [name for name, value in vars(modules.load(file)).items() if keeps_numbers(value)]
                unseeded.extend(_unseeded(os.path.relpath(file, self._root), name) for name in held)
        crystallize = import_crystallize()
        self._context: Any = crystallize.FrozenContext
        binder = Binder(job, modules, crystallize)
        binder.check_context()
        self._steps: List[BoundStep] = [binder.step(step) for step in job["steps"]]
        self._sources: List[Tuple[str, Read]] = [binder.source(source) for source in job["sources"]]
        self._outputs = binder.outputs
        self.warnings = [*binder.warnings, *unseeded]
        self._shared: Dict[str, Any] = {**job["context"], "condition": job["condition"]}
        self._shared.update(self._set_up())
        binder.check_parameters(self._shared)

    def run(self, replicate: int, seed: int, again: bool, enter: Enter) -> Pass:
        """One replicate: its metrics and artifacts. Tells each call before it begins. Raises ReplicateFailure."""
        job = self._job
        folder = os.path.join(job["artifacts"], f"replicate_{replicate}")
        if again:
            shutil.rmtree(folder, ignore_errors=True)
        ctx = self._new_context({**self._shared, "replicate": replicate, "seed_used": seed})
        metrics = ctx.metrics = Metrics()
        artifacts = ctx.artifacts = ReplicateArtifacts(folder, self._outputs, self._root)
        data = yield from self._fetch(ctx, replicate, enter)
        for name, step in self._steps:
            metrics.step = artifacts.step = name
            enter(f"step {name}")
            try:
                returned = step(data, ctx)
                if hasattr(type(returned), "__await__"):
                    returned = yield returned
                end_fork()
                if type(returned) is tuple and len(returned) == 2 and isinstance(returned[1], Mapping):
                    data = returned[0]
                    for metric, value in returned[1].items():
                        metrics.add(metric, value)
                else:
                    data = returned
            except ReplicateFailure as error:
                end_fork(error)
                raise
            except BaseException as error:
                end_fork(error)
                raise self._step_failure(name, error) from error
        return {"metrics": metrics.encoded(), "artifacts": artifacts.close() if self._outputs else {}}

    def tear_down(self) -> None:
        for _, step in reversed(self._steps):
            hook = getattr(step, "teardown", None)
            if hook is not None:
                hook(self._new_context(self._shared))

    def _new_context(self, values: Dict[str, Any]) -> Any:
        ctx = self._context(values, self._logger)
        ctx.resources = self._resources
        return ctx

    def _set_up(self) -> Dict[str, Any]:
        """Lets steps prepare. What they add to the context, every replicate finds there."""
        ctx = self._new_context(self._shared)
        for name, step in self._steps:
            hook: Optional[Callable[[Any], Any]] = getattr(step, "setup", None)
            if hook is None:
                continue
            try:
                hook(ctx)
            except BaseException as error:
                raise self._step_failure(name, error) from error
        return {key: value for key, value in ctx.as_dict().items() if key not in self._shared}

    def _fetch(self, ctx: Any, replicate: int, enter: Enter) -> Generator[Any, Any, Any]:
        values: Dict[str, Any] = {}
        for source, (alias, read) in zip(self._job["sources"], self._sources):
            enter(f"datasource {source.get('name', alias)}")
            try:
                value = read(ctx, replicate)
                if hasattr(type(value), "__await__"):
                    value = yield value
                end_fork()
            except ReplicateFailure as error:
                end_fork(error)
                raise
            except BaseException as error:
                end_fork(error)
                name = source.get("name", alias)
                parameter = missing_parameter(error)
                if parameter is not None:
                    raise parameter_missing(name, parameter, True) from error
                info = self._modules.explain(error, self._job["folder"])
                raise ReplicateFailure("datasource-threw", datasource=name, error=info) from error
            if self._job["bareSource"]:
                return value
            values[alias] = value
        return values

    def _step_failure(self, name: str, error: BaseException) -> ReplicateFailure:
        parameter = missing_parameter(error)
        if parameter is not None:
            return parameter_missing(name, parameter, getattr(error, "takes_data", True))
        return ReplicateFailure("step-threw", step=name, error=self._modules.explain(error, self._job["folder"]))


def _unseeded(file: str, name: str) -> str:
    return (
        f"{name} of {file} is made once in a worker and does not begin anew in a replicate: what is drawn from it depends on "
        f"the number of workers. Make it in the function, from ctx['seed_used'], or draw from random or numpy.random."
    )


def _restore_floats(job: Dict[str, Any]) -> None:
    """What was written as 1.0 arrives as 1."""
    for *way, last in job["floats"]:
        holder: Any = job
        for key in way:
            holder = holder[key]
        holder[last] = float(holder[last])
