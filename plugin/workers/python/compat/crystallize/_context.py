"""The context that steps see."""

from __future__ import annotations

import copy
import logging
from types import MappingProxyType
from typing import Any, Dict, List, Mapping, Optional, Tuple

# Values of these types cannot be changed in place: they need no copy.
_ATOMS = frozenset({bool, int, float, str, bytes, type(None)})


class ContextMutationError(Exception):
    """A key of the context was set a second time."""


class FrozenMetrics:
    """Lists of values by name."""

    def __init__(self) -> None:
        self._values: Dict[str, List[Any]] = {}

    def add(self, key: str, value: Any) -> None:
        self._values.setdefault(key, []).append(value)

    def __getitem__(self, key: str) -> Tuple[Any, ...]:
        return tuple(self._values.get(key, ()))

    def as_dict(self) -> Mapping[str, Tuple[Any, ...]]:
        return MappingProxyType({key: tuple(values) for key, values in self._values.items()})


class FrozenContext:
    """Values by name. A key can be added, but not set again; what is read is a copy."""

    def __init__(self, initial: Mapping[str, Any], logger: Optional[logging.Logger] = None) -> None:
        self._values: Dict[str, Any] = {key: _copy(value) for key, value in initial.items()}
        self.metrics: Any = FrozenMetrics()
        self.artifacts: Any = None
        self.logger = logger or logging.getLogger("crystallize")

    def __getitem__(self, key: str) -> Any:
        return _copy(self._values[key])

    def __setitem__(self, key: str, value: Any) -> None:
        if key in self._values:
            raise ContextMutationError(f"Cannot mutate existing key: '{key}'")
        self._values[key] = value

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def add(self, key: str, value: Any) -> None:
        """Sets a key that is not there yet. Raises ContextMutationError when it is."""
        self[key] = value

    def get(self, key: str, default: Any = None) -> Any:
        return _copy(self._values[key] if key in self._values else default)

    def record(self, name: str, value: Any, tags: Optional[Mapping[str, Any]] = None) -> None:
        """Records a metric; tags are accepted and not kept."""
        self.metrics.add(name, value)

    def as_dict(self) -> Mapping[str, Any]:
        return MappingProxyType({key: _copy(value) for key, value in self._values.items()})


def _copy(value: Any) -> Any:
    return value if type(value) in _ATOMS or callable(value) else copy.deepcopy(value)
