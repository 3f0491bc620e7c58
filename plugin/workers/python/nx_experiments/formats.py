"""Writers and loaders that need no outputs module. A function of that name in the module goes first."""

from __future__ import annotations

import csv
import itertools
import json
import os
import re
from pathlib import Path
from typing import Any, Callable, Dict, Optional

NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


def _dump_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _dump_text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"dump_text takes text, but got {type(value).__name__}")
    return value


def dump_bytes(value: Any) -> Any:
    """What happens to a value without a writer: text and bytes are written as they are."""
    if isinstance(value, (str, bytes, bytearray, memoryview)):
        return value
    raise TypeError(
        f"without a writer only text and bytes can be written, but got {type(value).__name__}; "
        "name a writer such as dump_json"
    )


WRITERS: Dict[str, Callable[[Any], Any]] = {"dump_json": _dump_json, "dump_text": _dump_text, "dump_bytes": dump_bytes}


def _load_json(path: Path) -> Any:
    return json.loads(path.read_bytes())


def _load_text(path: Path) -> str:
    return path.read_bytes().decode("utf-8")


def load_bytes(path: Path) -> bytes:
    return path.read_bytes()


def _load_csv(path: Path) -> Any:
    """One mapping a row, by the names of the header. What looks like a number is one; an empty cell is None."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.reader(file, strict=True) if row]
    header = rows[0] if rows else []
    return [{name: _cell(cell) for name, cell in itertools.zip_longest(header, row[: len(header)], fillvalue="")} for row in rows[1:]]


def _cell(text: str) -> Any:
    if text == "":
        return None
    if not NUMBER.fullmatch(text):
        return text
    return float(text) if re.search(r"[.eE]", text) else int(text)


def _load_npy(path: Path) -> Any:
    import numpy

    return numpy.load(path, allow_pickle=False)


LOADERS: Dict[str, Callable[[Path], Any]] = {"load_json": _load_json, "load_text": _load_text, "load_bytes": load_bytes}

BY_EXTENSION: Dict[str, Callable[[Path], Any]] = {
    ".json": _load_json,
    ".txt": _load_text,
    ".md": _load_text,
    ".csv": _load_csv,
    ".npy": _load_npy,
    ".bin": load_bytes,
}


def loader_by_extension(file_name: str) -> Optional[Callable[[Path], Any]]:
    return BY_EXTENSION.get(os.path.splitext(file_name)[1].lower())
