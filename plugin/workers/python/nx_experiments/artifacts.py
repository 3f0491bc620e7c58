"""The files of one replicate: each declared output is written once, and accounted for at the end."""

from __future__ import annotations

import hashlib
import os
from typing import Any, Callable, Dict, NamedTuple, Set

from .failures import ReplicateFailure, error_info, suggestion

BLOCK = 1 << 20


class Output(NamedTuple):
    alias: str
    file_name: str
    writer_name: str
    write: Callable[[Any], Any]


class Unencoded(NamedTuple):
    """What a step hands over, before its output's writer has seen it."""

    value: Any


class ReplicateArtifacts:
    """What `ctx.artifacts` is."""

    def __init__(self, folder: str, outputs: Dict[str, Output], root: str) -> None:
        self._folder = folder
        self._outputs = outputs
        self._root = root
        self._records: Dict[str, Dict[str, Any]] = {}
        self._written: Set[str] = set()
        self._self_written: Set[str] = set()
        self.step = ""

    def add(self, name: str, data: Any) -> None:
        """Writes a file by its name: encoded by its output's writer, or as the step has encoded it."""
        output = self._claim(name)
        content = self._encode(output, data.value) if isinstance(data, Unencoded) else _as_bytes(data)
        with open(self._place(output), "wb") as file:
            file.write(content)
        self._records[name] = _record(output, len(content), hashlib.sha256(content).hexdigest())

    def path(self, name: str) -> str:
        """Where a step writes the file itself."""
        if name not in self._self_written:
            self._claim(name)
            self._self_written.add(name)
        return self._place(self._outputs[name])

    def close(self) -> Dict[str, Any]:
        """Accounts for every output. Raises when one is missing, or a file lies there that none declares."""
        records = {
            output.alias: self._records.get(name) or self._measure(output) for name, output in self._outputs.items()
        }
        if self._written:
            self._refuse_strays()
        return records

    def _claim(self, name: str) -> Output:
        output = self._outputs.get(name)
        if output is None:
            remedy = suggestion(name, self._outputs, "file names")
            raise ReplicateFailure("output-unknown", output=name, step=self.step, remedy=remedy)
        if name in self._written:
            raise ReplicateFailure("artifact-written-twice", output=output.alias, step=self.step)
        self._written.add(name)
        os.makedirs(os.path.dirname(self._place(output)), exist_ok=True)
        return output

    def _place(self, output: Output) -> str:
        return os.path.join(self._folder, *output.file_name.split("/"))

    def _encode(self, output: Output, value: Any) -> bytes:
        try:
            return _as_bytes(output.write(value))
        except Exception as error:
            info = error_info(error, self._root)
            raise ReplicateFailure(
                "writer-threw", output=output.alias, writer=output.writer_name, error=info
            ) from error

    def _measure(self, output: Output) -> Dict[str, Any]:
        place = self._place(output)
        if not os.path.isfile(place):
            raise ReplicateFailure("artifact-missing", output=output.alias, fileName=output.file_name)
        _mark_as_new(place)
        digest = hashlib.sha256()
        length = 0
        with open(place, "rb") as file:
            while block := file.read(BLOCK):
                digest.update(block)
                length += len(block)
        return _record(output, length, digest.hexdigest())

    def _refuse_strays(self) -> None:
        for folder, _, names in os.walk(self._folder):
            for name in sorted(names):
                file = os.path.relpath(os.path.join(folder, name), self._folder).replace(os.sep, "/")
                if file not in self._outputs:
                    raise ReplicateFailure("artifact-undeclared", fileName=file)


def _record(output: Output, length: int, sha256: str) -> Dict[str, Any]:
    return {"fileName": output.file_name, "bytes": length, "sha256": sha256}


def _mark_as_new(place: str) -> None:
    """
    A copy may have kept the time of its source. Nx's daemon takes a file of the same size and time for unchanged: what was
    written in this run says so. What is only linked here is not ours to touch.
    """
    try:
        if not os.path.islink(place):
            os.utime(place)
    except OSError:
        pass  # a file of somebody else: it is as new as it says


def _as_bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8")
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    got = "nothing" if value is None else type(value).__name__
    raise TypeError(f"it returned {got} instead of text or bytes")
