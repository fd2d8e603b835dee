"""What a filter says of one sample: a score, a reason from a closed list, and the evidence.

`score` is 1 for good, 0 for bad, graded in between, and None where nothing could be said about
the *answer* for reasons not of its making. None and 0.0 never mix (design, idea 5).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pyarrow as pa

from .pickling import ByArguments

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None


@dataclass(frozen=True, slots=True)
class Verdict(ByArguments):
    """One opinion about one completion; spans in `evidence` are [start, end) in code points."""

    score: float | None
    reason: str
    evidence: Mapping[str, Json] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.score is not None and not 0.0 <= self.score <= 1.0:
            raise ValueError(f"score {self.score} ({self.reason}) is not in 0..1 or None")

    def to_row(self, sample_id: str) -> dict[str, Any]:
        """A row of `VERDICT_SCHEMA`; evidence is canonical JSON: equal verdicts, equal bytes.

        Lone surrogates, which a model's JSON can hold and UTF-8 cannot, become question marks.
        """
        evidence = _CANONICAL.encode(self.evidence).encode("utf-8", "replace").decode("utf-8")
        return {"id": sample_id, "score": self.score, "reason": self.reason, "evidence": evidence}

    @staticmethod
    def from_row(row: Mapping[str, Any]) -> Verdict:
        """The inverse of `to_row`, without the id."""
        return Verdict(row["score"], row["reason"], json.loads(row["evidence"]))


_CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))

VERDICT_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("score", pa.float64()),
        ("reason", pa.string()),
        ("evidence", pa.string()),
    ]
)
