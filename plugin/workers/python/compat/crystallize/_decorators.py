"""Functions become factories of steps, datasources and verifiers."""

from __future__ import annotations

import copy
import functools
import inspect
import threading
from typing import Any, Callable, Dict, List, Mapping, Optional

from ._context import FrozenContext
from ._parts import Artifact, DataSource, PipelineStep

_EMPTY = inspect.Parameter.empty
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class MissingParameter(TypeError):
    """Neither an argument nor the context has a value, and there is no default."""

    def __init__(self, parameter: str, takes_data: bool = True) -> None:
        super().__init__(f"Missing parameters: {parameter}")
        self.parameter = parameter
        self.takes_data = takes_data


class FromFunction:
    """What a decorator makes of a function."""

    function: Callable[..., Any]
    # Parameters that have their value from the context alone.
    required: List[str]
    takes_data = True


class _Parameters:
    """The parameters of a function that are not its data and its context."""

    def __init__(self, function: Callable[..., Any], own: List[str]) -> None:
        self.all = [p for p in inspect.signature(function).parameters.values() if p.kind in _NAMED]
        self.names = [p.name for p in self.all if p.name not in own]
        self.defaults = {p.name: p.default for p in self.all if p.name in self.names and p.default is not _EMPTY}
        self.passes = [p.name for p in self.all if p.name in own]

    def refuse_unknown(self, given: Mapping[str, Any]) -> None:
        unknown = sorted(set(given) - set(self.names))
        if unknown:
            raise TypeError(f"Unknown parameters: {', '.join(unknown)}")

    def require(self, given: Mapping[str, Any]) -> None:
        missing = [name for name in self.names if name not in given and name not in self.defaults]
        if missing:
            raise TypeError(f"Missing parameters: {', '.join(missing)}")


def _containers(given: Mapping[str, Any]) -> List[str]:
    """Arguments that are handed out as copies: what one replicate does to them, the next must not see."""
    return [name for name, value in given.items() if type(value) in (list, dict)]


def _handed_out(given: Mapping[str, Any], mutable: List[str]) -> Dict[str, Any]:
    values = dict(given)
    for name in mutable:
        values[name] = copy.deepcopy(values[name])
    return values


def _bound(value: Any, ctx: FrozenContext) -> Any:
    if isinstance(value, Artifact) and value._ctx is None:
        return value._clone_with_context(ctx)
    return value


def _called(value: Any, ctx: FrozenContext) -> Any:
    """A value of the context that is callable stands for what it returns."""
    if not callable(value):
        return value
    return value(ctx) if "ctx" in inspect.signature(value).parameters else value()


def inject_from_ctx(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Parameters that a caller leaves out come from the context by name, else from their defaults."""
    signature = inspect.signature(fn)

    @functools.wraps(fn)
    def injected(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind_partial(*args, **kwargs)
        ctx = bound.arguments.get("ctx")
        if not isinstance(ctx, FrozenContext):
            raise TypeError("'ctx' must be a FrozenContext")
        for name, parameter in signature.parameters.items():
            if name in bound.arguments or name == "data" or parameter.kind not in _NAMED:
                continue
            default = None if parameter.default is _EMPTY else parameter.default
            bound.arguments[name] = _called(ctx.get(name, default), ctx)
        for name, value in list(bound.arguments.items()):
            bound.arguments[name] = _bound(value, ctx)
        return fn(*bound.args, **bound.kwargs)

    return injected


def pipeline_step(cacheable: bool = False) -> Callable[[Callable[..., Any]], Callable[..., PipelineStep]]:
    """A function of `(data, ctx, ...)` becomes a factory of steps. `cacheable` is accepted, and without effect."""

    def decorate(fn: Callable[..., Any]) -> Callable[..., PipelineStep]:
        parameters = _Parameters(fn, ["data", "ctx"])
        passes_data = "data" in parameters.passes
        passes_ctx = "ctx" in parameters.passes

        class FunctionStep(PipelineStep, FromFunction):
            function = staticmethod(fn)
            takes_data = passes_data

            def __init__(self, given: Dict[str, Any]) -> None:
                self._given = given
                self._artifacts = [name for name, value in given.items() if isinstance(value, Artifact)]
                self._injected = [name for name in parameters.names if name not in given]
                self.required = [name for name in self._injected if name not in parameters.defaults]
                self._mutable = _containers(given)

            def __call__(self, data: Any, ctx: FrozenContext) -> Any:
                values = _handed_out(self._given, self._mutable)
                for name in self._artifacts:
                    values[name] = _bound(values[name], ctx)
                for name in self._injected:
                    if name in ctx:
                        values[name] = _called(ctx[name], ctx)
                    elif name in parameters.defaults:
                        values[name] = _called(ctx.get(name, parameters.defaults[name]), ctx)
                    else:
                        raise MissingParameter(name, passes_data)
                if passes_data:
                    values["data"] = data
                if passes_ctx:
                    values["ctx"] = ctx
                return fn(**values)

            @property
            def params(self) -> dict:
                return dict(self._given)

        FunctionStep.cacheable = cacheable
        FunctionStep.__name__ = f"{fn.__name__.title()}Step"

        @functools.wraps(fn)
        def factory(**given: Any) -> PipelineStep:
            parameters.refuse_unknown(given)
            return FunctionStep(given)

        return factory

    return decorate


def data_source(fn: Callable[..., Any]) -> Callable[..., DataSource]:
    """A function of `(ctx, ...)` becomes a factory of datasources."""
    parameters = _Parameters(fn, ["ctx"])

    class FunctionSource(DataSource, FromFunction):
        function = staticmethod(fn)

        def __init__(self, given: Dict[str, Any]) -> None:
            self._given = given
            self.required = [n for n in parameters.names if n not in given and n not in parameters.defaults]
            self._mutable = _containers(given)

        def fetch(self, ctx: FrozenContext) -> Any:
            values = {**parameters.defaults, **_handed_out(self._given, self._mutable)}
            for name in self.required:
                if name not in ctx:
                    raise MissingParameter(name)
                values[name] = ctx[name]
            return fn(ctx, **values) if parameters.passes else fn(**values)

        @property
        def params(self) -> dict:
            return {**parameters.defaults, **self._given}

    FunctionSource.__name__ = f"{fn.__name__.title()}Source"

    @functools.wraps(fn)
    def factory(**given: Any) -> DataSource:
        parameters.refuse_unknown(given)
        return FunctionSource(given)

    return factory


def verifier(fn: Callable[..., Any]) -> Callable[..., Callable[..., Mapping[str, Any]]]:
    """A function of the samples of the baseline and of a treatment becomes a factory of verifiers. They come first, by any names."""
    parameters = _Parameters(fn, list(inspect.signature(fn).parameters)[:2])

    @functools.wraps(fn)
    def factory(**given: Any) -> Callable[..., Mapping[str, Any]]:
        parameters.refuse_unknown(given)
        parameters.require(given)
        values = {**parameters.defaults, **given}

        def verify(baseline_samples: Any, treatment_samples: Any) -> Mapping[str, Any]:
            return fn(baseline_samples, treatment_samples, **values)

        return verify

    return factory


class Treatment:
    """Named values of the context. In a folder, config.yaml says them."""

    def __init__(self, name: str, apply: Any = None) -> None:
        self.name = name
        self.apply_value = apply

    def apply(self, ctx: FrozenContext) -> None:
        if callable(self.apply_value):
            self.apply_value(ctx)
        else:
            for key, value in (self.apply_value or {}).items():
                ctx.add(key, value)


def treatment(name: str, apply: Any = None) -> Any:
    """A treatment of these values, or a decorator of a function of `(ctx)`."""
    if apply is not None:
        return Treatment(name, apply)

    def decorate(fn: Callable[[FrozenContext], Any]) -> Callable[[], Treatment]:
        return functools.wraps(fn)(lambda: Treatment(name, fn))

    return decorate


class Hypothesis:
    """A verifier applied to metrics. In a folder, config.yaml says which."""

    def __init__(self, verifier: Any, metrics: Any = None, ranker: Any = None, name: Optional[str] = None) -> None:
        self.verifier = verifier
        self.metrics = metrics
        self.ranker = ranker
        self.name = name


def hypothesis(*, verifier: Any, metrics: Any = None, name: Optional[str] = None) -> Callable[[Any], Hypothesis]:
    """A decorator of the function that ranks verdicts."""
    return lambda fn: Hypothesis(verifier, metrics, fn, name or fn.__name__)


def resource_factory(fn: Callable[[Any], Any], *, key: Optional[str] = None) -> Callable[[Any], Any]:
    """What the function makes is made once in a process for each condition, since it may depend on it, and handed out again."""
    at = _identity(fn) if key is None else key
    own = threading.local()

    @functools.wraps(fn)
    def resource(ctx: Any) -> Any:
        kept = own if at is None else getattr(ctx, "resources", own)
        made = kept.__dict__.setdefault("made", {})
        if at not in made:
            made[at] = fn(ctx)
        return made[at]

    return resource


def _identity(fn: Callable[[Any], Any]) -> Any:
    """The same for a function that a step defines anew each time; None when what it captures cannot be compared."""
    try:
        captured = tuple(cell.cell_contents for cell in fn.__closure__ or ())
        found = (fn.__code__, id(fn.__globals__), captured, fn.__defaults__)
        hash(found)
    except (AttributeError, TypeError, ValueError):
        return None
    return found
