"""What a step is: a frozen pydantic model whose fields are what the recipe may say.

`run` reads finished artifacts from its context, writes into `context.out` and nowhere else, and
returns metrics. It never knows which process, machine or recipe it runs in, and never sees
another stage. This module knows no concrete stage.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol, TypeAlias

from pydantic import BaseModel, ConfigDict

from .budget import Budget, Spending
from .filter import Filter, JudgeContext
from .forecast import Forecast
from .progress import Progress
from .references import reference_kind
from .stopping import StopSignal

if TYPE_CHECKING:
    from .artifact import Artifact

Metrics: TypeAlias = dict[str, Any]
"""JSON values that describe the result: counts, rates, scores. None is unknown."""


STATE: Final = "state"
"""Folder beside the artifacts with the state of unfinished steps."""


class Config(BaseModel):
    """Base of stages and of the parts nested in them: frozen, unknown keys refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        # YAML and command lines can say inf and nan; an identity, which is JSON, cannot.
        allow_inf_nan=False,
        # The docstring below a field is its description: in `potstill schema` and `train … --help`.
        use_attribute_docstrings=True,
    )


@dataclass(frozen=True)
class Context:
    """What a running step is given. Nothing here is identity."""

    step: str
    """`recipe/step`: for messages, and the label of what this step buys in the journal."""
    out: Path
    """The artifact's directory; write nowhere else."""
    inputs: Mapping[str, Artifact]
    """Finished artifacts by step name."""
    filters: Mapping[str, Filter]
    """The filters that the config names, by their name in the recipe."""
    paths: Mapping[str, Path]
    """Where each path, hub id or model step named in the config lies on this disk."""
    digests: Mapping[str, str]
    """Content digest of everything in `paths`: what a model or file *is*, wherever it lies."""
    journal: Path
    """The work directory's journal of paid completions (models/journal.py)."""
    workers: int = 1
    progress: Progress = field(default_factory=Progress)
    limit: int | None = None
    """`run --limit N`: a smoke run of N problems."""
    siblings: tuple[Path, ...] = ()
    """Other finished artifacts of this recipe, so that `judge` can take verdicts over."""
    stop: StopSignal = field(default_factory=StopSignal)
    """Whether the user wants the step to end; see stopping.py."""
    budget: Budget = field(default_factory=Budget)
    """What is left to this step of the command's caps."""
    spending: Spending = field(default_factory=Spending)
    """What those who buy for this step have spent of it."""

    @property
    def state(self) -> Path:
        """Where a step may keep what lets it go on after a kill; removed once it is finished."""
        return self.out.parent / STATE / self.out.name

    @property
    def judging(self) -> JudgeContext:
        """What this step's filters may use."""
        return JudgeContext(self.workers, self)

    def samples(self, name: str) -> Artifact:
        """The artifact of the step that a config field names."""
        return self.inputs[name]

    def path(self, reference: str) -> Path:
        """Folder or file that a field names: a step's artifact, a path or a hub snapshot."""
        if reference_kind(reference) == "word" and reference in self.inputs:
            return self.inputs[reference].path
        return self.paths[reference]

    def digest(self, reference: str) -> str:
        """Content digest of what `path` gives."""
        if reference_kind(reference) == "word" and reference in self.inputs:
            return self.inputs[reference].digest
        return self.digests[reference]


class Preview(Protocol):
    """What a step would ask, for `plan --show-prompt`."""

    def facts(self) -> dict[str, Any]:
        """JSON values."""
        ...


class Stage(Config, ABC):
    """Base of all steps."""

    kind: ClassVar[str]
    version: ClassVar[int] = 1
    makes: ClassVar[str] = "samples"
    """samples, verdicts, model or evaluation: what a reference to this step finds."""
    expensive: ClassVar[bool] = False
    """Refuse to run again because of a changed address unless named in --rebuild."""

    @abstractmethod
    def run(self, context: Context) -> Metrics:
        """Write the artifact's files into `context.out`; the runner writes the manifest last.

        Raises RequestError for what the user can fix, StepFailed where the work failed.
        """

    def rebuild_bill(self, context: Context) -> str | None:
        """What would be bought again by running now, as a sentence; None: nothing, run unasked."""
        return None

    def forecast(self, context: Context) -> Forecast | None:
        """What running now would buy, from a context that may only be looked at (peek.py).

        A stage that asks a model overrides it; None: nothing can be said.
        """
        return None

    def preview(self, context: Context) -> Preview | None:
        """What the step would ask, exactly; None for a step that asks nobody."""
        return None
