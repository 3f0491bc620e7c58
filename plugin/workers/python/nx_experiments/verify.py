"""Applies a verifier to the metrics of the baseline and of a treatment."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping
from typing import Any, Dict

from .failures import ReplicateFailure, error_info
from .metrics import decode, plain
from .modules import Modules


def verify(job: Dict[str, Any], modules: Modules) -> Dict[str, Any]:
    """The verdict: its scalars by name. Raises ReplicateFailure."""
    if job.get("module") is None:
        raise ReplicateFailure("module-missing", module="verifiers", folder=os.path.relpath(job["folder"], job["root"]))
    name = job["verifier"]
    found = modules.function(job["module"], name)
    try:
        # `@verifier` makes factories, which take nothing by its place.
        by_place = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        own = inspect.signature(found, follow_wrapped=False).parameters.values()
        call = found if any(parameter.kind in by_place for parameter in own) else found()
        verdict = call(decode(job["baseline"]), decode(job["treatment"]))
    except BaseException as error:
        raise ReplicateFailure("verifier-threw", verifier=name, error=error_info(error, job["root"])) from error
    if not isinstance(verdict, Mapping):
        got = "nothing" if verdict is None else type(verdict).__name__
        raise ReplicateFailure("verdict-invalid", verifier=name, got=got)
    for key in ("p_value", "significant"):
        if verdict.get(key) is not None and plain(verdict[key]) is None:
            got = f"a value of the type {type(verdict[key]).__name__}"
            raise ReplicateFailure("verdict-value-invalid", verifier=name, key=key, got=got)
    scalars = {str(key): plain(value) for key, value in verdict.items()}
    return {key: value for key, value in scalars.items() if value is not None or verdict[key] is None}
