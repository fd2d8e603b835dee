"""Several rows in one sequence: less padding, and sequences of one length.

Best fit decreasing, as trl does it (`pack_dataset`, "bfd"). Rows stay whole and in one piece: no
row is longer than a sequence when it comes here. In a sequence each row has positions of its own
from zero; that rows do not see each other is the attention's business, which `isolation.py` checks
on the model itself before the first step.
"""

from __future__ import annotations

from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

ROWS_AT_ONCE: Final = 10_000
"""Packed together. More fill hardly better, and Arrow's lists of 32-bit offsets hold two billion
tokens."""


def pack(table: pa.Table, length: int) -> pa.Table:
    """Sequences of at most `length` tokens, with the lengths of their rows as `seq_lengths`.

    Args:
        table: `input_ids` and `labels`, no row of them longer than `length`.
    """
    from datasets import Dataset
    from trl import pack_dataset

    how = {"batch_size": ROWS_AT_ONCE, "keep_in_memory": True}
    packed: pa.Table = pack_dataset(Dataset(table), length, "bfd", how).data.table
    assert _tokens(packed) == _tokens(table), "packing lost tokens"
    return packed


def packing_metrics(packed: pa.Table, length: int) -> dict[str, Any]:
    """Number of packs, and the share of their places that hold a token."""
    packs = packed.num_rows
    return {"packs": packs, "pack_length": length, "fill": _tokens(packed) / (packs * length)}


def _tokens(table: pa.Table) -> int:
    return int(pc.sum(pc.list_value_length(table["input_ids"])).as_py())
