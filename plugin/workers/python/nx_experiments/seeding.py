"""`random` and `numpy.random` start anew from the seed in every replicate."""

from __future__ import annotations

import importlib.machinery
import random
import sys
from typing import Any, Optional, Tuple

NUMPY_RANDOM = "numpy.random"

_last = 0


def seed_all(seed: int) -> None:
    global _last
    _last = seed
    random.seed(seed)
    numpy_random = sys.modules.get(NUMPY_RANDOM)
    if numpy_random is not None:
        numpy_random.seed(seed)


def state() -> Tuple[Any, Optional[Any]]:
    numpy_random = sys.modules.get(NUMPY_RANDOM)
    return random.getstate(), None if numpy_random is None else numpy_random.get_state()


def restore(saved: Tuple[Any, Optional[Any]]) -> None:
    random.setstate(saved[0])
    if saved[1] is not None:
        sys.modules[NUMPY_RANDOM].set_state(saved[1])


class _SeedsOnImport:
    """Seeds numpy.random when a step is the first to import it. A finder that finds nothing else."""

    def find_spec(self, name: str, path: Any = None, module: Any = None) -> Any:
        if name != NUMPY_RANDOM:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, module)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def exec_module(made: Any) -> None:
            execute(made)
            made.seed(_last)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def watch_imports() -> None:
    sys.meta_path.insert(0, _SeedsOnImport())  # type: ignore[arg-type]
