"""Does the completion repeat itself: n-grams said again and again, or a loop at its end?

* `ngram_share` is the share of the words of the thought that lie in an n-gram which occurred
  before (n = `ngram`, words as in `words.py` plus runs of digits). Up to `max_ngram_share` it
  costs nothing; beyond, the score falls in a straight line to 0.0 at a share of 1.
* A loop is the same piece of text repeated `loop_repeats` times or more at the very end of the
  thought or of the answer, covering at least `LOOP_CHARACTERS`. It is 0.0 whatever the share.

The defaults leave alone 99.6 % of the GSM8K solutions and of 2,000 alpaca answers in English and
Chinese. Math is not masked: a formula written forty times is a loop too. Paraphrased repetition
and near-duplicates of *other* samples are not seen here.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from ..models.thinking import Span, reasoning_span, split
from ..pipeline.filter import RowFilter
from ..pipeline.sample import Sample
from ..pipeline.verdict import Json, Verdict
from .words import tokens

LOOP_CHARACTERS = 60
"""Shortest loop: spares ellipses, rules and tails of zeros; four short sentences are longer."""
_LOOP_WINDOW = 8000
"""Code points looked at from the end, so the longest unit of a loop of 4 has 2,000."""
_PROBE = 12
_MOST_SPANS = 20


class Repetition(RowFilter):
    """1.0 up to `max_ngram_share`, then falling; 0.0 for a loop at the end."""

    kind: ClassVar[str] = "repetition"
    reasons: ClassVar[frozenset[str]] = frozenset(
        {"ok", "repeated_ngrams", "loop_at_end", "no_completion"}
    )

    ngram: int = Field(default=8, ge=2, le=100)
    max_ngram_share: float = Field(default=0.2, ge=0.0, lt=1.0)
    loop_repeats: int = Field(default=4, ge=2, le=100)

    def judge_one(self, sample: Sample) -> Verdict:
        text = sample.completion
        if text is None:
            return Verdict(None, "no_completion")
        parts = split(text)
        start, end = reasoning_span(parts, text)
        share, spans = _repeated(text[start:end], self.ngram)
        evidence: dict[str, Json] = {"ngram_share": round(share, 6)}
        for loop in _loops_at([end, len(text)], text, self.loop_repeats):
            return Verdict(0.0, "loop_at_end", evidence | {"loop": list(loop)})
        if share <= self.max_ngram_share:
            return Verdict(1.0, "ok", evidence)
        evidence["repeated"] = [[start + a, start + b] for a, b in spans[:_MOST_SPANS]]
        score = (1.0 - share) / (1.0 - self.max_ngram_share)
        return Verdict(score, "repeated_ngrams", evidence)


def _repeated(text: str, size: int) -> tuple[float, list[Span]]:
    """Share of the words in n-grams seen before, and where these stand, merged."""
    found = tokens(text)
    words = [word for word, _, _ in found]
    ngrams = list(zip(*(words[skip:] for skip in range(size)), strict=False))
    seen: set[tuple[str, ...]] = set()
    covered, until = 0, 0  # words up to `until` are counted already
    spans: list[Span] = []
    for begin, ngram in enumerate(ngrams if len(set(ngrams)) < len(ngrams) else []):
        if ngram not in seen:
            seen.add(ngram)
            continue
        covered += begin + size - max(begin, until)
        here = (found[begin][1], found[begin + size - 1][2])
        if spans and begin <= until:
            spans[-1] = (spans[-1][0], here[1])
        else:
            spans.append(here)
        until = begin + size
    return (covered / len(words) if words else 0.0), spans


def _loops_at(ends: list[int], text: str, repeats: int) -> list[Span]:
    found = (_loop(text[:end].rstrip(), repeats) for end in dict.fromkeys(ends))
    return [loop for loop in found if loop is not None]


def _loop(text: str, repeats: int) -> Span | None:
    """The loop that `text` ends in, or None.

    A loop of period p says its last characters again p earlier, so only the earlier places of
    the last `_PROBE` characters can give p; each is then checked by comparing whole strings.
    """
    window = text[-_LOOP_WINDOW:]
    if len(window) < _PROBE:
        return None
    probe = window[-_PROBE:]
    at = window.rfind(probe, 0, len(window) - 1)
    while at >= 0:
        period = len(window) - len(probe) - at
        unit = window[-period:]
        times = max(repeats, -(-LOOP_CHARACTERS // period))
        if period * times > len(window) and period > LOOP_CHARACTERS:
            return None  # longer periods do not fit either
        if window.endswith(unit.lstrip() + unit * (times - 1)):  # the first needs no separator
            return _begin(text, unit), len(text)
        at = window.rfind(probe, 0, at + len(probe) - 1)
    return None


def _begin(text: str, unit: str) -> int:
    """Where the loop of `unit` at the end of `text` begins."""
    begin = len(text)
    while text.endswith(unit, 0, begin):
        begin -= len(unit)
    first = unit.lstrip()
    return begin - len(first) if text.endswith(first, 0, begin) else begin
