"""Preference pairs on disk: rows of samples, two for each pair, the better one first.

    id, prompt_id, prompt, completion, … , pair, side
    a1 …                                   0     chosen
    b7 …                                   0     rejected

A pair is two samples of one prompt and the columns `pair` and `side`; (id, pair) is the key, since
a sample may stand in several pairs. `select` makes them and `dpo` learns from them; whoever takes
all rows for good ones (`sft`, `mix`) would learn the rejected ones too, so it must refuse them.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from .artifact import Artifact
from .errors import RequestError
from .sample import SAMPLE_SCHEMA
from .shards import shard_files

CHOSEN: Final = "chosen"
REJECTED: Final = "rejected"
PAIR_SCHEMA: Final = SAMPLE_SCHEMA.append(pa.field("pair", pa.int64())).append(
    pa.field("side", pa.string())
)
"""The schema of samples, the number of the pair from 0, and `CHOSEN` or `REJECTED`."""


def holds_pairs(artifact: Artifact) -> bool:
    """Whether the rows of an artifact are preference pairs."""
    names = {"pair", "side"}
    return any(names <= set(pq.read_schema(file).names) for file in shard_files(artifact.path)[:1])


def require_pairs(artifact: Artifact, field: str) -> None:
    """Refuse rows that are no pairs.

    Args:
        field: of the step that reads them, for the message.

    Raises:
        RequestError: says how pairs are made.
    """
    if not holds_pairs(artifact):
        raise RequestError(
            f"{field}: step {artifact.step!r} holds no preference pairs (columns pair and side). "
            "Make them of judged samples with a select step: "
            "select: {samples: traces, verdicts: verdicts, pairs: {by: math}}."
        )


def refuse_pairs(artifact: Artifact, field: str) -> None:
    """Refuse preference pairs, half of whose rows are bad ones, where all rows count as good.

    Raises:
        RequestError: names the step that may read them.
    """
    if holds_pairs(artifact):
        raise RequestError(
            f"{field}: step {artifact.step!r} holds preference pairs, and half of its rows are "
            "rejected completions. Expected samples; pairs are what dpo is trained on."
        )
