"""Groups: several completions of one problem, judged, and which of them teach something.

    rows -> completions -> verdicts and rewards -> groups -> (poor ones replaced) -> a batch

A group teaches by the differences between its rewards. Where all are equal, or fewer than two are
known, every advantage is zero. Dynamic sampling (DAPO, arXiv:2503.14476) asks other problems in
the place of such groups, until every group of the batch teaches or the rounds are used up. What is
asked instead is a function of seed, step and round, so that a training that was killed asks the
same. Nothing here knows trl: who generates is handed in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from ...models.local_model import LocalModel
from ...pipeline.sample import Sample, content_id
from ..policy import policy_generation
from ..rewards import Judged, Reward
from .order import shuffled

Row: TypeAlias = Mapping[str, Any]
"""A row of `PROBLEM_SCHEMA`."""
Written: TypeAlias = tuple[Sequence[Sequence[int]], Sequence[Sequence[float]] | None]
"""Tokens of each completion, and their log-probabilities where the engine tells them."""
Generate: TypeAlias = Callable[[list[list[int]]], Written]
"""Completions of prompts, one each, from their tokens."""

TEACHES: Final = "teaching"
EQUAL: Final = "zero_variance"
UNKNOWN: Final = "unknown"


@dataclass(frozen=True)
class Rollout:
    """One completion, judged."""

    row: Row
    tokens: list[int]
    logprobs: list[float] | None
    sample: Sample
    judged: Judged


@dataclass(frozen=True)
class Group:
    """The completions of one problem in one generation."""

    rollouts: tuple[Rollout, ...]

    @property
    def kind(self) -> str:
        """Whether it teaches, and why not."""
        known = {each.judged.reward for each in self.rollouts} - {None}
        if len(known) > 1:
            return TEACHES
        count = sum(each.judged.reward is not None for each in self.rollouts)
        return EQUAL if count > 1 else UNKNOWN


@dataclass(frozen=True)
class Batch:
    """What one process trains on after one generation."""

    groups: list[Group]
    first: list[Group]
    """As they were drawn, before any was replaced: an unbiased look at the policy."""
    replaced: list[Group]
    """Judged, and not trained on."""
    rounds: int

    @property
    def rollouts(self) -> list[Rollout]:
        """In order: the completions of a problem stand together."""
        return [each for group in self.groups for each in group.rollouts]

    @property
    def counts(self) -> dict[str, int]:
        """Groups of the batch by kind, and how many were thrown away for it."""
        kinds = Counter(group.kind for group in self.groups)
        return {
            **{kind: kinds[kind] for kind in (TEACHES, EQUAL, UNKNOWN)},
            "replaced": len(self.replaced),
        }


@dataclass(frozen=True)
class Drawing:
    """How batches are drawn."""

    reward: Reward
    model: LocalModel
    """Decodes, and knows which tokens end a completion."""
    completions: int
    others: Sequence[Row]
    """Every problem there is, to replace groups with; a `datasets.Dataset` will do."""
    max_rounds: int
    seed: int

    def draw(
        self, problems: Sequence[Row], generate: Generate, step: int, share: tuple[int, int]
    ) -> Batch:
        """One group for each of `problems`, or for others in their place.

        Args:
            step: the optimizer step it is drawn for.
            share: number of this process, and of all: none asks what another one asks instead.
        """
        first = self._groups(problems, generate, step)
        groups, replaced, rounds = list(first), [], 0
        used = {row["id"] for row in problems}
        while rounds < self.max_rounds:
            poor = [at for at, group in enumerate(groups) if group.kind != TEACHES]
            others = self._others(used, len(poor), (step, rounds), share)
            if not others:
                break
            rounds += 1
            used |= {row["id"] for row in others}
            for at, group in zip(poor, self._groups(others, generate, step), strict=False):
                better = group.kind == TEACHES
                replaced.append(groups[at] if better else group)
                groups[at] = group if better else groups[at]
        return Batch(groups, first, replaced, rounds)

    def _others(
        self, used: set[str], count: int, draw: tuple[int, int], share: tuple[int, int]
    ) -> list[Row]:
        """So many problems that this process did not ask in this generation, or fewer."""
        if not count:
            return []
        order = shuffled(len(self.others), self.seed, *draw)
        mine = (self.others[at] for at in order[share[0] :: share[1]])
        fresh = (row for row in mine if row["id"] not in used)
        return [row for row, _ in zip(fresh, range(count), strict=False)]

    def _groups(self, problems: Sequence[Row], generate: Generate, step: int) -> list[Group]:
        """Every problem asked `completions` times, and judged."""
        rows = [row for row in problems for _ in range(self.completions)]
        tokens, logprobs = generate([list(row["prompt_ids"]) for row in rows])
        samples = [
            self._sample(row, list(written), at % self.completions, step)
            for at, (row, written) in enumerate(zip(rows, tokens, strict=True))
        ]
        rollouts = [
            Rollout(row, list(written), list(logprobs[at]) if logprobs else None, sample, judged)
            for at, (row, written, sample, judged) in enumerate(
                zip(rows, tokens, samples, self.reward.judge(samples), strict=True)
            )
        ]
        size = self.completions
        return [Group(tuple(rollouts[at : at + size])) for at in range(0, len(rollouts), size)]

    def _sample(self, row: Row, tokens: list[int], index: int, step: int) -> Sample:
        ends = self.model.stop_ids
        stopped = bool(tokens) and tokens[-1] in ends
        text = row["prefill"] + self.model.decode(tokens[:-1] if stopped else tokens)
        made = policy_generation(
            tokens,
            ends,
            index=index,
            key=content_id("policy", step, text),
            prompt_tokens=len(row["prompt_ids"]),
            prefilled=bool(row["prefill"]),
        )
        return replace(Sample.from_row(row), id="", completion=text, generation=made)
