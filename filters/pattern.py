"""Does a regular expression match the text, within a time limit?

    pattern: {pattern: "^# .+", where: answer}
    pattern: {pattern: "(?i)todo", where: completion, must: not_match}

The syntax is that of the `regex` package: Python's own and more (`\\p{Han}`, fuzzy matches). It was
preferred to RE2, whose time is linear but which knows no lookaround and no back-references, for its
limit in CPU seconds *inside* the match: a hopeless pattern (`(a|aa)+$`) costs `seconds` and no
process. What exceeds the limit is 0.0 `too_complex` whether it must match or not: were it unknown,
texts that stall the pattern would escape it. Evidence: the spans of the first matches.
"""

from __future__ import annotations

import functools
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from ..pipeline.filter import Limits, RowFilter
from ..pipeline.outcome import Outcome, TimedOut
from ..pipeline.sample import Sample
from ..pipeline.verdict import Json, Verdict
from .answers.answer_text import Where, read_part
from .unfinished import UNFINISHED

_MOST_SPANS = 20


class Pattern(RowFilter):
    """1.0 if the pattern matches (or does not, by `must`), else 0.0."""

    kind: ClassVar[str] = "pattern"
    reasons: ClassVar[frozenset[str]] = UNFINISHED | {
        "ok",
        "no_match",
        "forbidden_match",
        "too_complex",
    }
    depends: ClassVar[tuple[str, ...]] = ("regex",)

    pattern: str = Field(min_length=1)
    where: Where = "answer"
    must: Literal["match", "not_match"] = "match"
    whole: bool = False
    """The whole text has to match, less the white space around it; else it is searched."""
    seconds: float = Field(default=1.0, gt=0, le=60)
    """CPU time that one text may take."""

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        import regex  # type: ignore[import-untyped]

        try:
            _compiled(pattern)
        except regex.error as error:
            raise ValueError(
                f"{error}. Expected a regular expression as Python's; in YAML put it in single "
                "quotes, where a backslash is a backslash"
            ) from error
        return pattern

    def limits(self) -> Limits:
        """The limit inside the match is the real one; a slow compilation meets this."""
        return Limits(cpu_seconds=self.seconds + 5.0)

    def judge_one(self, sample: Sample) -> Verdict:
        part = read_part(sample, self.where)
        if isinstance(part, Verdict):
            return part
        try:
            spans = self._spans(part.text)
        except TimeoutError:
            return self._too_complex()
        evidence: dict[str, Json] = {"matches": [part.span(*span) for span in spans]}
        if self.must == "match":
            return Verdict(1.0, "ok", evidence) if spans else Verdict(0.0, "no_match")
        return Verdict(0.0, "forbidden_match", evidence) if spans else Verdict(1.0, "ok")

    def _spans(self, text: str) -> list[tuple[int, int]]:
        """Where the pattern matches; TimeoutError beyond the limit."""
        compiled = _compiled(self.pattern)
        if self.whole:
            begin = len(text) - len(text.lstrip())
            end = max(begin, len(text.rstrip()))
            whole = compiled.fullmatch(text, begin, end, timeout=self.seconds)
            return [whole.span()] if whole else []
        spans: list[tuple[int, int]] = []
        for match in compiled.finditer(text, timeout=self.seconds):
            spans.append(match.span())
            if len(spans) == _MOST_SPANS:
                break
        return spans

    def _too_complex(self) -> Verdict:
        return Verdict(0.0, "too_complex", {"seconds": self.seconds})

    def failed(
        self, sample: Sample, outcome: Outcome[Verdict], control: Outcome[Verdict] | None
    ) -> Verdict:
        if isinstance(outcome, TimedOut):
            return self._too_complex()
        return super().failed(sample, outcome, control)


@functools.lru_cache(maxsize=100)
def _compiled(pattern: str) -> Any:
    import regex

    return regex.compile(pattern)
