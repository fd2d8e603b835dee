"""Does the completion run in circles: loops, the same said again and again, endless self-doubt?

* A **loop** is one piece said `loop_repeats` times in a row (one time less from 200 characters on)
  over at least 60 characters, at the end of thought or answer or anywhere inside. It is 0.0. So are
  lines or sentences six times in a row that differ in case, punctuation or the number in front.
* **Repeated lines, sentences, n-grams** are shares of a part. Sentences and lines count from the
  third time on, n-grams (n = `ngram` words) from the second, and going through cases counts as
  neither (`utterances.py`). Up to `max_sentence_share` and `max_ngram_share` a share costs nothing;
  then the score falls in a straight line, to 0.0 half-way between that and 1. Of a long text the
  200 worst words are looked at too, where what was said twice before may be 0.6.
* **Endless self-doubt** is `stale_doubts` doubts that lead nowhere (`self_doubt.py`). It is 0.0.

Code, tables and aligned math may repeat themselves, as may sums and numbers (`1 + 1 + 1 …`): only a
loop of 25 times and 150 characters (600 inside a closed fence, table or environment) counts there.
The defaults leave alone all but 2 of 10,821 texts by people (GSM8K, AIME, alpaca in English and
Chinese; a test holds it). Not seen are the same conclusion in ever other words, and near-duplicates
of *other* samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

from pydantic import Field

from ..models.thinking import Span, reasoning_span, split
from ..pipeline.filter import RowFilter
from ..pipeline.sample import Sample
from ..pipeline.verdict import Json, Verdict
from .repeating.circling import in_a_row, ngram_said, said_again, serious_loops
from .repeating.self_doubt import self_doubt
from .repeating.utterances import Utterance, lines_of, sentences_of
from .shapes.layout import without_layout

_MOST_SPANS: Final = 20
_DENSE: Final = 0.6
"""Share of 200 words in a row that may be said for the third time: a long quotation, twice."""


class Repetition(RowFilter):
    """1.0 without circles; 0.0 for loops and endless doubt; falling with the share repeated."""

    kind: ClassVar[str] = "repetition"
    version: ClassVar[int] = 2
    reasons: ClassVar[frozenset[str]] = frozenset(
        {
            "ok",
            "no_completion",
            "endless_self_doubt",
            "loop_at_end",
            "loop_inside",  # it recovered
            "repeated_lines",
            "repeated_sentences",
            "repeated_ngrams",
        }
    )

    ngram: int = Field(default=10, ge=2, le=100)
    max_ngram_share: float = Field(default=0.3, ge=0.0, lt=1.0)
    max_sentence_share: float = Field(default=0.15, ge=0.0, lt=1.0)
    loop_repeats: int = Field(default=4, ge=3, le=100)
    stale_doubts: int = Field(default=8, ge=2, le=1000)

    def judge_one(self, sample: Sample) -> Verdict:
        text = sample.completion
        if text is None:
            return Verdict(None, "no_completion")
        parts = split(text)
        thought = reasoning_span(parts, text)
        both = list(dict.fromkeys([thought, parts.answer or thought]))
        prose = without_layout(text)
        sentences = {part: sentences_of(prose[slice(*part)]) for part in both}
        verdicts = [
            self._of_doubts(text, thought, sentences[thought]),
            *self._of_loops(text, prose, [end for _, end in both]),
            *(each for part in both for each in self._of_shares(prose, part, sentences[part])),
        ]
        worst = min(verdicts, key=lambda verdict: verdict.score or 0.0)  # the first of the worst
        return Verdict(worst.score, worst.reason, _figures(verdicts) | dict(worst.evidence))

    def _of_doubts(self, text: str, thought: Span, sentences: Sequence[Utterance]) -> Verdict:
        start, end = thought
        found = self_doubt(text[start:end], sentences)
        figures: dict[str, Json] = {"doubts": found.doubts, "stale_doubts": found.stale}
        if found.span is None or found.stale < self.stale_doubts:
            return Verdict(1.0, "ok", figures)
        figures["self_doubt"] = [start + found.span[0], start + found.span[1]]
        return Verdict(0.0, "endless_self_doubt", figures)

    def _of_loops(self, text: str, prose: str, ends: Sequence[int]) -> Iterator[Verdict]:
        for loop, at_end in serious_loops(text, prose, ends, self.loop_repeats)[:1]:
            figures = {"period": loop.period, "times": round(loop.times, 2)}
            reason = "loop_at_end" if at_end else "loop_inside"
            yield Verdict(0.0, reason, {**figures, "loop": [loop.start, loop.end]})

    def _of_shares(
        self, prose: str, part: Span, sentences: Sequence[Utterance]
    ) -> Iterator[Verdict]:
        start, end = part
        text = prose[start:end]
        lines = lines_of(text) if text.count("\n") >= 2 else []  # none is said for the third time
        for name, pieces in (("line", lines), ("sentence", sentences)):
            row = in_a_row(pieces, self.loop_repeats)
            if row is not None:
                yield Verdict(0.0, f"repeated_{name}s", {"repeated": _moved([row], start)})
            said = said_again(pieces)
            repeated = _moved(said.spans, start)
            yield _by_share(name, name, said.share, self.max_sentence_share, repeated)
        said = ngram_said(text, self.ngram, sentences)
        repeated = _moved(said.spans, start)
        yield _by_share("ngram", "ngram", said.share, self.max_ngram_share, repeated)
        allowed = max(_DENSE, self.max_ngram_share)
        yield _by_share("ngram", "densest", said.densest, allowed, repeated)


def _by_share(what: str, figure: str, share: float, allowed: float, spans: list[Json]) -> Verdict:
    """1.0 up to the allowed share, then falling to 0.0 half-way between that and 1."""
    measured: dict[str, Json] = {f"{figure}_share": round(share, 6)}
    if share <= allowed:
        return Verdict(1.0, "ok", measured)
    score = max(0.0, 1.0 - (share - allowed) / (0.5 * (1.0 - allowed)))
    return Verdict(score, f"repeated_{what}s", measured | {"repeated": spans})


def _figures(verdicts: Sequence[Verdict]) -> dict[str, Json]:
    """The largest of every figure that was measured in several parts."""
    found: dict[str, float] = {}
    for verdict in verdicts:
        for name, value in verdict.evidence.items():
            if isinstance(value, (int, float)):
                found[name] = max(value, found.get(name, value))
    return dict(found)


def _moved(spans: Sequence[Span], by: int) -> list[Json]:
    return [[start + by, end + by] for start, end in spans[:_MOST_SPANS]]
