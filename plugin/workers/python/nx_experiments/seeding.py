"""`random` and `numpy.random` start anew from the seed in every replicate."""

from __future__ import annotations

import importlib.machinery
import random
import sys
from typing import Any, NamedTuple, Optional

NUMPY_RANDOM = "numpy.random"

# Of the replicate that runs at this moment.
_seed = 0


class State(NamedTuple):
    seed: int
    python: Any
    # None while nobody has imported numpy.random.
    numpy: Optional[Any]


def seed_all(seed: int) -> None:
    global _seed
    _seed = seed
    random.seed(seed)
    numpy_random = sys.modules.get(NUMPY_RANDOM)
    if numpy_random is not None:
        numpy_random.seed(seed)


def state() -> State:
    numpy_random = sys.modules.get(NUMPY_RANDOM)
    return State(_seed, random.getstate(), None if numpy_random is None else numpy_random.get_state())


def restore(saved: State) -> None:
    global _seed
    _seed = saved.seed
    random.setstate(saved.python)
    numpy_random = sys.modules.get(NUMPY_RANDOM)
    if numpy_random is None:
        return
    if saved.numpy is None:
        # Another replicate was the first to import it.
        numpy_random.seed(saved.seed)
    else:
        numpy_random.set_state(saved.numpy)


def keeps_numbers(value: Any) -> bool:
    """Whether it is a generator of random numbers that goes on from where it was: none of those that are seeded."""
    if value is getattr(sys.modules.get(f"{NUMPY_RANDOM}.mtrand"), "_rand", random):
        return False
    if isinstance(value, random.Random):
        return not isinstance(value, random.SystemRandom)
    kind = type(value)
    return kind.__module__.startswith(f"{NUMPY_RANDOM}.") and kind.__name__ in ("Generator", "RandomState")


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
            made.seed(_seed)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def watch_imports() -> None:
    sys.meta_path.insert(0, _SeedsOnImport())  # type: ignore[arg-type]
