"""Is the answer JSON, and does it satisfy a JSON schema?

    json_schema: {schema: {type: object, required: [name], properties: {name: {type: string}}}}

Which text is taken for the JSON, and what is refused in it: `json_text.py`. A row may bring a
schema of its own in a column (`column`), which then counts instead of the config's; without any
schema only JSON is asked for. The sample's key is not looked at.

Regular expressions of a schema can take for ever and values can be built to be slow; what exceeds
the limits of the worker is 0.0 `too_complex`, as is what is nested too deeply: were it unknown, an
answer could escape the judge.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

from pydantic import ConfigDict, Field, JsonValue, field_validator

from ..pipeline.filter import Limits, RowFilter
from ..pipeline.outcome import Outcome, OutOfMemory, Raised, TimedOut
from ..pipeline.sample import Sample
from ..pipeline.verdict import Json, Verdict
from .answers.answer_text import Part, printable, read_part
from .structured.json_text import NotJson, find_json, parse_json
from .structured.schemas import BadSchema, validator
from .unfinished import UNFINISHED


class JsonSchema(RowFilter):
    """1.0 if the answer is JSON that satisfies the schema, else 0.0 with what is wrong."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True)

    kind: ClassVar[str] = "json_schema"
    reasons: ClassVar[frozenset[str]] = UNFINISHED | {
        "ok",
        "no_json",  # neither a JSON block nor a JSON text
        "invalid_json",
        "duplicate_key",
        "schema_mismatch",
        "too_complex",
        "unusable_schema",  # that of the row: unknown
    }
    depends: ClassVar[tuple[str, ...]] = ("jsonschema",)

    schema_: dict[str, JsonValue] | None = Field(default=None, alias="schema")
    column: str | None = "schema"
    """Column of the row with its own schema, as an object or as JSON text; None: look at none."""
    max_depth: int = Field(default=64, ge=1, le=100)
    """Deepest nesting of lists and objects."""
    cpu_seconds: float = Field(default=5.0, gt=0)

    @field_validator("schema_")
    @classmethod
    def _is_schema(cls, schema: dict[str, JsonValue] | None) -> dict[str, JsonValue] | None:
        if schema is not None:
            validator(schema)
        return schema

    def limits(self) -> Limits:
        return Limits(cpu_seconds=self.cpu_seconds)

    def warm(self) -> None:
        import jsonschema  # type: ignore[import-untyped]  # noqa: F401

    def judge_one(self, sample: Sample) -> Verdict:
        part = read_part(sample, "answer")
        if isinstance(part, Verdict):
            return part
        try:
            schema = self._schema_of(sample)
            checking = None if schema is None else validator(schema)
        except (BadSchema, json.JSONDecodeError) as error:
            return Verdict(None, "unusable_schema", {"detail": printable(str(error))})
        return self._judge(part, checking)

    def _schema_of(self, sample: Sample) -> object:
        """The row's own schema, else that of the config."""
        columns = json.loads(sample.extra)
        own = columns.get(self.column) if self.column is not None else None
        if own is None:
            return self.schema_
        return json.loads(own) if isinstance(own, str) else own

    def _judge(self, part: Part, checking: Any) -> Verdict:
        found = find_json(part.text)
        start, end = found.span
        evidence: dict[str, Json] = {"json_span": part.span(start, end)}
        try:
            value = parse_json(part.text[start:end], self.max_depth)
        except NotJson as error:
            reason = "invalid_json" if found.marked and error.reason == "no_json" else error.reason
            if error.at is not None:
                evidence["at"] = part.span(start + error.at, start + error.at)
            return Verdict(0.0, reason, evidence | {"detail": printable(error.detail)})
        mismatch = None if checking is None else _mismatch(checking, value)
        if mismatch is not None:
            return Verdict(0.0, "schema_mismatch", evidence | mismatch)
        return Verdict(1.0, "ok", evidence)

    def failed(
        self, sample: Sample, outcome: Outcome[Verdict], control: Outcome[Verdict] | None
    ) -> Verdict:
        endless = isinstance(outcome, Raised) and outcome.type == "RecursionError"
        if endless or isinstance(outcome, TimedOut | OutOfMemory):
            return Verdict(0.0, "too_complex", {"detail": "checking the schema took too much"})
        return super().failed(sample, outcome, control)


def _mismatch(checking: Any, value: object) -> dict[str, Json] | None:
    """The most telling error of a value against a schema: where, which rule, in words."""
    from jsonschema.exceptions import best_match  # type: ignore[import-untyped]

    error = best_match(checking.iter_errors(value))
    if error is None:
        return None
    return {
        "path": printable(error.json_path),
        "rule": str(error.validator),
        "message": printable(error.message),
    }
