"""The `export` step: a folder that `datasets.load_dataset(folder)` opens and trl trains on.

    export: {samples: mixture}                                   # a column of messages
    export: {samples: mixture, columns: prompt_completion, test: 0.01}
    export: {samples: mixture, columns: sharegpt, format: jsonl, thinking: drop}
    export: {splits: {train: mixture, test: heldout}, license: cc-by-4.0}

Files go to `data/`, with declared types; a dataset card written from the manifests of everything
upstream stands beside them as README.md. Preference pairs become prompt, chosen and rejected. Text
is written as it is: no template is rendered here. `potstill publish` uploads the folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field, field_validator, model_validator

from ..pipeline.artifact import Artifact
from ..pipeline.errors import RequestError
from ..pipeline.pairs import holds_pairs
from ..pipeline.references import Samples, identity_config
from ..pipeline.shards import shard_files, write_text
from ..pipeline.stage import Context, Metrics, Stage
from .exporting.card import Exported, dataset_card
from .exporting.files import Format
from .exporting.folder import write_folder
from .exporting.forms import Also, Columns, Form, Thinking
from .exporting.licences import check_licence
from .exporting.splits import TRAIN, Cut

Share = Annotated[float, Field(gt=0, lt=1)]
Split = Literal["train", "validation", "test"]
_SPLITS: Final[tuple[Split, ...]] = ("train", "validation", "test")


class Export(Stage):
    """Writes samples for other tools."""

    kind: ClassVar[str] = "export"
    version: ClassVar[int] = 2
    makes: ClassVar[str] = "export"

    samples: Samples | None = None
    splits: dict[Split, Samples] = {}
    """A step for each split; in the place of samples."""
    validation: Share | None = None
    """Share of the problems of `samples` that go to the split validation."""
    test: Share | None = None
    """Share of the problems of `samples` that go to the split test."""
    seed: int = 0
    """Of which problems are drawn for validation and test."""
    format: Format = "parquet"
    """csv: conversations are JSON in a cell, and formulas are made text with a leading '."""
    columns: Columns = "messages"
    thinking: Thinking = "keep"
    """drop: only what follows </think>; column: the thought in a column of its own."""
    also: tuple[Also, ...] = ()
    """Further columns: extra (JSON), and the teacher and revision that made a completion."""
    license: str | None = None
    """Identifier for the card, as the hub writes it; None lists those of the sources."""

    @field_validator("license")
    @classmethod
    def _licence_is_known(cls, licence: str | None) -> str | None:
        return None if licence is None else check_licence(licence)

    @model_validator(mode="after")
    def _fields_agree(self) -> Export:
        if (self.samples is None) == (not self.splits):
            raise ValueError("expected samples, or splits with a step for each; not both")
        if self.splits and (self.test or self.validation):
            raise ValueError("test and validation cut samples; with splits name a step for each")
        if (self.test or 0) + (self.validation or 0) >= 1:
            raise ValueError("test and validation leave nothing for train; expected less than 1")
        if self.columns == "samples" and (self.thinking != "keep" or self.also):
            raise ValueError("columns: samples is everything as it is, without thinking and also")
        return self

    def run(self, context: Context) -> Metrics:
        """Write `data/` and README.md.

        Raises:
            RequestError: a split would be empty, or a row does not fit the columns.
        """
        sources = self._sources(context)
        form = self._form(sources)
        folder = write_folder(sources, form, self._cut(), self.format, context)
        settings = identity_config(self, lambda step: step)
        card = dataset_card(Exported(context.step, settings, form, sources, folder))
        write_text(context.out / "README.md", card)
        return {
            "rows": folder.rows,
            "files": len(folder.files),
            "columns": form.schema.names,
            "splits": folder.splits(),
            "problems_in_two_splits": dict(folder.account.shared),
            **folder.contents,
        }

    def _sources(self, context: Context) -> dict[str, Artifact]:
        steps: Mapping[str, str] = dict(self.splits.items()) or {TRAIN: str(self.samples)}
        return {name: context.samples(steps[name]) for name in _SPLITS if name in steps}

    def _cut(self) -> Cut:
        shares = {"validation": self.validation, "test": self.test}
        return Cut({name: share for name, share in shares.items() if share}, self.seed)

    def _form(self, sources: Mapping[str, Artifact]) -> Form:
        """Raises RequestError where the sources do not go into one dataset of these columns."""
        paired = [name for name, artifact in sources.items() if holds_pairs(artifact)]
        if paired and len(paired) < len(sources):
            raise RequestError(
                f"splits: {', '.join(paired)} holds preference pairs and the others samples; "
                "expected one or the other in all splits of a dataset"
            )
        if paired and (self.columns == "sharegpt" or self.thinking == "column"):
            raise RequestError(
                f"step {sources[paired[0]].step!r} holds preference pairs, which become prompt, "
                "chosen and rejected: expected columns: messages, and thinking: keep or drop"
            )
        schemas = [
            pq.read_schema(file).remove_metadata()
            for artifact in sources.values()
            for file in shard_files(artifact.path)[:1]
        ]
        return Form(self.columns, self.thinking, self.also, pa.unify_schemas(schemas))
