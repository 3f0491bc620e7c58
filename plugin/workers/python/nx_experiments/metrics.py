"""Metrics are numbers: what steps record becomes a list of floats and integers."""

from __future__ import annotations

import math
import numbers
from types import MappingProxyType
from typing import Any, Dict, Iterable, List, Mapping, Tuple

from .failures import ReplicateFailure, without_addresses

# Beyond this, JSON readers in other languages would round.
EXACT_INTEGERS = 2**53


class Metrics:
    """What `ctx.metrics` is."""

    def __init__(self) -> None:
        self.values: Dict[str, List[Any]] = {}
        self.step = ""

    def add(self, key: str, value: Any) -> None:
        """Records a number under a name; each element of an array is recorded in turn."""
        recorded = self.values.setdefault(str(key), [])
        if type(value) is float or type(value) is int and -EXACT_INTEGERS <= value <= EXACT_INTEGERS:
            recorded.append(value)
        else:
            recorded.extend(self._number(key, item) for item in _elements(value))

    def _number(self, key: str, value: Any) -> Any:
        try:
            if isinstance(value, numbers.Integral):
                whole = int(value)
                return whole if -EXACT_INTEGERS <= whole <= EXACT_INTEGERS else float(whole)
            if isinstance(value, numbers.Real) or _is_decimal(value):
                return float(value)
            if hasattr(value, "__index__") or type(value).__name__ in ("bool_", "bool"):
                return int(value)  # numpy's truth values are no numbers of Python's
        except (TypeError, ValueError, OverflowError):
            pass
        got = "None" if value is None else f"{type(value).__name__} ({without_addresses(str(value))[:40]})"
        raise ReplicateFailure("metric-invalid", metric=str(key), got=got, step=self.step)

    def __getitem__(self, key: str) -> Tuple[Any, ...]:
        return tuple(self.values.get(key, ()))

    def as_dict(self) -> Mapping[str, Tuple[Any, ...]]:
        return MappingProxyType({key: tuple(values) for key, values in self.values.items()})

    def encoded(self) -> Dict[str, List[Any]]:
        """JSON has no NaN and no infinities: they are spelled."""
        for values in self.values.values():
            for value in values:
                if not math.isfinite(value):
                    return {key: [_spell(item) for item in items] for key, items in self.values.items()}
        return self.values


def decode(metrics: Mapping[str, List[Any]]) -> Dict[str, List[Any]]:
    """The numbers of a message, with those that were spelled."""
    return {name: [float(v) if isinstance(v, str) else v for v in values] for name, values in metrics.items()}


def plain(value: Any) -> Any:
    """A scalar of numpy's, or of Python's, as JSON has it; None when it is neither. NaN is spelled."""
    if hasattr(value, "item") and not isinstance(value, (str, bytes)) and getattr(value, "ndim", 0) == 0:
        try:
            value = value.item()
        except Exception:
            return None
    if isinstance(value, float):
        return _spell(value)
    return value if isinstance(value, (str, int, bool)) else None


def _spell(value: Any) -> Any:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _elements(value: Any) -> Iterable[Any]:
    """The elements of an array or of a list, nested ones in order; anything else is its own only element."""
    if hasattr(value, "tolist") and hasattr(value, "dtype"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [element for item in value for element in _elements(item)]
    return [value]


def _is_decimal(value: Any) -> bool:
    return type(value).__name__ == "Decimal"
