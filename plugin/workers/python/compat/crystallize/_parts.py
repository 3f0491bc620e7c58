"""What steps and datasources are made of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Callable, Optional


class DataSource(ABC):
    """Yields the data of a replicate."""

    @abstractmethod
    def fetch(self, ctx: Any) -> Any:
        """The data."""

    @property
    def params(self) -> dict:
        return {}


class PipelineStep(ABC):
    """Turns data into data, perhaps with metrics: `(data, {name: number})`."""

    cacheable = False

    @abstractmethod
    def __call__(self, data: Any, ctx: Any) -> Any:
        """One replicate's pass."""

    @property
    def params(self) -> dict:
        return {}

    def setup(self, ctx: Any) -> None:
        """Called once in a process before its first replicate of a condition."""

    def teardown(self, ctx: Any) -> None:
        """Called once before the process ends."""


class Artifact(DataSource):
    """A declared output, for a step to write."""

    def __init__(
        self,
        name: str,
        loader: Optional[Callable[[Path], Any]] = None,
        writer: Optional[Callable[[Any], Any]] = None,
    ) -> None:
        self.name = name
        self.loader = loader or (lambda path: path.read_bytes())
        self.writer = writer or (lambda data: data)
        self._ctx: Any = None

    def _clone_with_context(self, ctx: Any) -> Artifact:
        bound = type(self)(self.name, self.loader, self.writer)
        bound._ctx = ctx
        return bound

    def write(self, data: Any) -> None:
        """Passes the data through the output's writer into its file. Once in a replicate."""
        if self._ctx is None:
            raise RuntimeError("Artifact not bound to context")
        self._ctx.artifacts.add(self.name, self.writer(data))

    @property
    def path(self) -> Path:
        """Where to write the file oneself, for libraries that take a path. Instead of `write`."""
        if self._ctx is None:
            raise RuntimeError("Artifact not bound to context")
        return Path(self._ctx.artifacts.path(self.name))

    def fetch(self, ctx: Any) -> Any:
        raise RuntimeError(f"the artifact {self.name} is read by a reference in config.yaml, not in code")
