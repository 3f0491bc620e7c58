"""
What experiment folders import from Crystallize, for where `crystallize-ml` is not installed. Only that: to run and to
compare experiments is the business of nx-experiments.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from ._context import ContextMutationError, FrozenContext, FrozenMetrics
from ._decorators import (
    Hypothesis,
    Treatment,
    data_source,
    hypothesis,
    inject_from_ctx,
    pipeline_step,
    resource_factory,
    treatment,
    verifier,
)
from ._parts import Artifact, DataSource, PipelineStep

NX_EXPERIMENTS = True

__all__ = [
    "Artifact",
    "ContextMutationError",
    "DataSource",
    "FrozenContext",
    "FrozenMetrics",
    "Hypothesis",
    "PipelineStep",
    "Treatment",
    "data_source",
    "hypothesis",
    "inject_from_ctx",
    "pipeline_step",
    "resource_factory",
    "treatment",
    "verifier",
]

# Where Crystallize itself keeps these names.
_SUBMODULES = {
    "utils": [],
    "utils.context": ["ContextMutationError", "FrozenContext", "FrozenMetrics"],
    "utils.exceptions": ["ContextMutationError"],
    "utils.decorators": [
        "data_source",
        "hypothesis",
        "inject_from_ctx",
        "pipeline_step",
        "resource_factory",
        "treatment",
        "verifier",
    ],
    "utils.injection": ["inject_from_ctx"],
    "datasources": ["Artifact", "DataSource"],
    "datasources.artifacts": ["Artifact"],
    "datasources.datasource": ["DataSource"],
    "pipelines": ["PipelineStep"],
    "pipelines.pipeline_step": ["PipelineStep"],
    "experiments": ["Hypothesis", "Treatment"],
    "experiments.hypothesis": ["Hypothesis"],
    "experiments.treatment": ["Treatment"],
}


def _missing(name: str) -> str:
    return (
        f"{name} is not part of what nx-experiments carries of Crystallize, which is: {', '.join(__all__)}. "
        f"Install the whole of it with: {sys.executable} -m pip install crystallize-ml"
    )


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    raise ImportError(_missing(f"crystallize.{name}"))


class _NoOtherSubmodules:
    """A finder that finds nothing, and says what that means."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name.startswith(f"{__name__}.") and not name.startswith(f"{__name__}._"):
            raise ImportError(_missing(name))
        return None


def _make_submodules() -> None:
    for name, exported in _SUBMODULES.items():
        module = ModuleType(f"{__name__}.{name}")
        module.__path__ = []  # type: ignore[attr-defined]
        for export in exported:
            setattr(module, export, globals()[export])
        sys.modules[module.__name__] = module
        parent, _, last = module.__name__.rpartition(".")
        setattr(sys.modules[parent], last, module)
    sys.meta_path.insert(0, _NoOtherSubmodules())  # type: ignore[arg-type]


_make_submodules()
