"""How much there is to do: optimizer steps, and tokens that go through the student.

Rows of problems, whose completions are written while training, have no tokens yet: what depends on
them is None.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ..grouped.settings import GroupSettings
from ..rows.order import epoch_order, useful_share
from ..training import TrainingStage

_PAIR = ("prompt_ids", "chosen_ids", "rejected_ids")


def sequence_lengths(rows: pa.Table) -> npt.NDArray[np.int64] | None:
    """Tokens of each sequence that an example puts through the model, of shape (rows, sequences).

    One for a row that is learnt, two for a pair; None where they are not written yet.
    """
    if "input_ids" in rows.column_names:
        return _counts(rows["input_ids"])[:, None]
    if set(_PAIR) <= set(rows.column_names):
        prompt, chosen, rejected = (_counts(rows[name]) for name in _PAIR)
        return np.stack([prompt + chosen, prompt + rejected], axis=1)
    return None


def steps(stage: TrainingStage, rows: int) -> int:
    """Optimizer steps of the whole training, counted as transformers does it.

    An epoch's last step may have fewer rows than the others; a generation of completions is always
    whole, and trained on several times (grouped/order.py).
    """
    if stage.max_steps is not None:
        return stage.max_steps
    if isinstance(stage, GroupSettings):
        each = stage.updates_per_generation * stage.num_iterations
        return math.ceil(stage.epochs * math.ceil(rows / stage.problems_per_generation) * each)
    return math.ceil(stage.epochs * math.ceil(rows / stage.batch_size))


def micro_batch(stage: TrainingStage, processes: int) -> int:
    """Examples of one forward pass of one process (`running/arguments.py`)."""
    at_once = stage.batch_size // processes
    return min(stage.micro_batch or at_once, at_once)


def padded_tokens(lengths: npt.NDArray[np.int64], stage: TrainingStage, at_once: int) -> float:
    """Tokens that go through the student in one epoch if rows are padded to the longest beside.

    Args:
        at_once: rows of a micro-batch.
    """
    longest = lengths.max(axis=1)
    order = epoch_order(longest, stage.batch_size, False, stage.seed, 0)
    return float(lengths.sum()) / useful_share(longest[order], at_once)


def _counts(column: Any) -> npt.NDArray[np.int64]:
    return np.asarray(pc.list_value_length(column).to_numpy(), dtype=np.int64)
