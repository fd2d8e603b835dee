"""Worked examples put before a question: written in the recipe, or drawn from another step.

    few_shot: [{question: "3 + 4?", answer: "7"}]
    few_shot: {from: good_traces, k: 3, pick: similar_length, seed: 0}

Which examples a problem gets is a function of the seed, the problem and what is in the pool; never
of an order or a position. Each example stands at several points of a circle of hashes and a problem
takes the next ones from points of its own, so a changed pool changes the examples, and so the keys,
of few problems. A problem is never its own example.
"""

from __future__ import annotations

import hashlib
import heapq
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag

from ..pipeline.errors import RequestError
from ..pipeline.references import Samples
from ..pipeline.sample import Message, Sample, new_sample
from ..pipeline.stage import Config

MOST_KEPT: Final = 5_000
"""Problems in a pool, those with the smallest hashes: with long thoughts about 150 MB of text."""

_POINTS: Final = 8
"""Places of each example on the circle: more make the examples' shares more even."""


class Example(Config):
    """A worked example: a turn of the user and one of the assistant."""

    question: str
    answer: str
    """What the assistant says."""
    completion: str | None = None
    """What a template that uses a completion (`rewrite`, `judge`) is given of one."""
    key: str | None = None
    """The key to check against, where a template uses `answer`."""

    def row(self) -> Sample:
        """The example as a template sees it."""
        prompt = (Message("user", self.question),)
        return new_sample(prompt, completion=self.completion, answer=self.key)


class Drawn(Config):
    """Examples drawn from a step's samples; the completion is what the assistant says."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    source: Annotated[Samples, Field(alias="from")]
    k: Annotated[int, Field(ge=1, le=64)] = 3
    pick: Literal["random", "similar_length"] = "random"
    """`similar_length`: questions nearest in length, the nearest one last."""
    seed: int = 0


def _kind(value: object) -> str:
    return "drawn" if isinstance(value, (dict, Drawn)) else "examples"


FewShot = Annotated[
    Annotated[tuple[Example, ...], Tag("examples")] | Annotated[Drawn, Tag("drawn")],
    Discriminator(_kind),
]


class Pool:
    """Examples to draw from: one completion for each problem, at most `MOST_KEPT` problems.

    A sample is of use if it has a whole completion (`finish_reason` is not `length`) and its prompt
    is one question. Where the pool has enough in a problem's language, only those are drawn.

    Raises:
        RequestError: fewer than `k` samples are of use.
    """

    def __init__(
        self,
        drawn: Drawn,
        samples: Iterable[Sample],
        *,
        keep_extra: bool = False,
        most: int = MOST_KEPT,
    ) -> None:
        self._drawn = drawn
        kept, self.is_cut = _kept(samples, drawn.seed, most, keep_extra)
        if len(kept) < drawn.k:
            raise RequestError(
                f"few_shot draws {drawn.k} examples from step {drawn.source!r}, but only "
                f"{len(kept)} of its problems have one question and a whole completion. Lower k, "
                "or draw from a step with more."
            )
        self._all = _Circle(kept, drawn)
        self._by_language = {
            language: _Circle([row for row in kept if row.language == language], drawn)
            for language in sorted({row.language for row in kept if row.language})
        }

    @property
    def note(self) -> str | None:
        """What a user should know of the pool."""
        if not self.is_cut:
            return None
        return (
            f"few_shot draws from {len(self._all):,} problems of step {self._drawn.source!r}, "
            "those with the smallest hashes; it has more"
        )

    def draw(self, problem: Sample) -> list[Sample]:
        """The problem's examples, in the order in which they are shown.

        Raises:
            RequestError: without the problem itself fewer than `k` are left.
        """
        own = self._by_language.get(problem.language or "")
        circle = own if own is not None and own.others(problem) >= self._drawn.k else self._all
        if circle.others(problem) < self._drawn.k:
            raise RequestError(
                f"few_shot draws {self._drawn.k} examples for problem {problem.prompt_id}, but "
                f"step {self._drawn.source!r} has only {circle.others(problem)} other problems. "
                "Lower k, or draw from a step with more."
            )
        return circle.draw(problem)


class _Circle:
    """Examples on a circle of hashes, and in the order of their questions' lengths."""

    def __init__(self, rows: list[Sample], drawn: Drawn) -> None:
        self._drawn = drawn
        self._places = {row.prompt_id for row in rows}
        self._points = sorted(
            (_hash(drawn.seed, row.prompt_id, point), place)
            for place, row in enumerate(rows)
            for point in range(_POINTS)
        )
        self._rows = rows
        self._by_length = sorted(rows, key=lambda row: len(row.question))
        self._lengths = [len(row.question) for row in self._by_length]

    def __len__(self) -> int:
        return len(self._rows)

    def others(self, problem: Sample) -> int:
        """How many examples are about other problems."""
        return len(self._rows) - (problem.prompt_id in self._places)

    def draw(self, problem: Sample) -> list[Sample]:
        if self._drawn.pick == "random":
            return self._next_ones(problem)
        return self._nearest(problem)

    def _next_ones(self, problem: Sample) -> list[Sample]:
        chosen: dict[int, Sample] = {}
        for turn in range(self._drawn.k):
            start = _hash(self._drawn.seed, "draw", problem.prompt_id, turn)
            at = bisect_left(self._points, (start, 0))
            while True:
                place = self._points[at % len(self._points)][1]
                if place not in chosen and self._rows[place].prompt_id != problem.prompt_id:
                    chosen[place] = self._rows[place]
                    break
                at += 1
        return list(chosen.values())

    def _nearest(self, problem: Sample) -> list[Sample]:
        """The k nearest, the nearest one last; a hash decides between equally near ones."""
        length, most = len(problem.question), self._drawn.k
        middle = bisect_left(self._lengths, length)
        places = range(len(self._lengths))
        shorter = ((length - self._lengths[at], at) for at in reversed(places[:middle]))
        longer = ((self._lengths[at] - length, at) for at in places[middle:])
        found: list[tuple[int, int, Sample]] = []
        for distance, at in heapq.merge(shorter, longer):
            if len(found) >= most and distance > found[-1][0]:
                break
            row = self._by_length[at]
            if row.prompt_id != problem.prompt_id:
                rank = _hash(self._drawn.seed, "tie", problem.prompt_id, row.prompt_id)
                found.append((distance, rank, row))
        found.sort(key=lambda one: one[:2])
        return [row for _, _, row in reversed(found[:most])]


def _kept(
    samples: Iterable[Sample], seed: int, most: int, keep_extra: bool
) -> tuple[list[Sample], bool]:
    """The samples of use, one for each problem, and whether problems had to be left aside.

    Which are kept is a function of the samples alone: of a problem the one with the smallest
    hash, of the problems those with the smallest hashes.
    """
    best: dict[str, tuple[int, Sample]] = {}
    farthest: list[tuple[int, str]] = []  # negative hashes: a heap with the largest on top
    is_cut = False
    for sample in filter(_is_of_use, samples):
        rank = _hash(seed, "sample", sample.id or sample.completion)
        known = best.get(sample.prompt_id)
        if known is not None and known[0] <= rank:
            continue
        slim = replace(sample, generation=None, extra=sample.extra if keep_extra else "{}")
        best[sample.prompt_id] = (rank, slim)
        if known is None:
            place = _hash(seed, "problem", sample.prompt_id)
            heapq.heappush(farthest, (-place, sample.prompt_id))
        if len(best) > most:
            _, gone = heapq.heappop(farthest)
            del best[gone]
            is_cut = True
    rows = sorted((sample for _, sample in best.values()), key=lambda row: row.prompt_id)
    return rows, is_cut


def _is_of_use(sample: Sample) -> bool:
    if not sample.completion:
        return False
    if sample.generation is not None and sample.generation.finish_reason == "length":
        return False
    return [turn.role for turn in sample.prompt if turn.role != "system"] == ["user"]


def _hash(*parts: object) -> int:
    text = "\0".join(map(str, parts))
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big")
