"""Filters as the reward of reinforcement learning: the weighted sum of their scores, or None.

    parts = {"math": Part(MathAnswer()), "format": Part(Format(), weight=0.2)}
    with open_reward(parts, JudgeContext(workers=4), ends=[tokenizer.eos_token_id]) as reward:
        GRPOTrainer(model, reward_funcs=reward, ...)

R1's reward is such a sum: accuracy + format + language consistency. It is one callable and not one
for each filter because trl sums with nansum: of several functions, one that returns None counts as
0 (trl 1.16, `grpo_trainer.py`), and unknown would become wrong. Here a completion whose *required*
part is unknown has the reward None, which trl leaves out of its group. An unknown part that is not
required is left out of the sum, and the known ones take its weight. A part may be for some tasks
only, such as a reward model for general prompts; elsewhere it is no part of the sum.

The judges are those that `judge`, `accept` and `evaluate` open; nothing is judged a second way.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..pipeline.errors import RequestError
from ..pipeline.filter import Filter, Judge, JudgeContext, SampleFilter
from ..pipeline.judging import judge_batch
from ..pipeline.sample import Sample, new_sample
from ..pipeline.verdict import Verdict
from .policy import policy_generation, text_of, turns_of

_COLUMNS = ("answer", "language", "task")
"""Columns of a dataset that a sample takes over; others are trl's or the user's."""


@dataclass(frozen=True)
class Part:
    """One filter of a reward."""

    judging: Filter
    weight: float = 1.0
    required: bool = True
    """Whether the whole reward is unknown where this part is."""
    tasks: frozenset[str] | None = None
    """The tasks whose samples it judges; None: all."""

    def judges(self, task: str) -> bool:
        """Whether samples of a task have this part in their reward."""
        return self.tasks is None or task in self.tasks


@dataclass(frozen=True)
class Judged:
    """What a completion is worth, and why."""

    reward: float | None
    """The weighted sum; None where it is unknown."""
    verdicts: Mapping[str, Verdict]
    """By part, of those that judge the sample's task."""


@contextlib.contextmanager
def open_reward(
    parts: Mapping[str, Part],
    context: JudgeContext,
    *,
    ends: Collection[int] = (),
    prefill: str = "",
) -> Iterator[Reward]:
    """A reward whose judges are warm inside the block.

    Args:
        ends: token ids of which one ends every finished completion; a completion that ends
            otherwise was cut by the token limit. Without any, none counts as cut.
        prefill: what the chat template wrote of each completion, such as "<think>\\n".

    Raises:
        RequestError: as `sample_filters`.
    """
    with contextlib.ExitStack() as stack:
        judges = {
            name: stack.enter_context(judging.open(context))
            for name, judging in sample_filters(parts).items()
        }
        yield Reward(parts, judges, frozenset(ends), prefill)


def sample_filters(parts: Mapping[str, Part]) -> dict[str, SampleFilter]:
    """The filters of a reward.

    Raises:
        RequestError: there is no part, one has no weight, or one judges no single samples.
    """
    if not parts or any(part.weight <= 0 for part in parts.values()):
        weights = {name: part.weight for name, part in parts.items()}
        raise RequestError(f"the reward's weights are {weights}; expected one or more above 0")
    found = {}
    for name, part in parts.items():
        if not isinstance(part.judging, SampleFilter):
            raise RequestError(
                f"reward {name!r} ({part.judging.kind}) judges whole datasets; expected a "
                "filter that judges samples, such as math"
            )
        found[name] = part.judging
    return found


class Reward:
    """Judges samples; as a callable it is what trl asks of a reward function."""

    def __init__(
        self,
        parts: Mapping[str, Part],
        judges: Mapping[str, Judge],
        ends: frozenset[int] = frozenset(),
        prefill: str = "",
    ) -> None:
        self.__name__ = "reward"  # trl names its metrics by it
        self.parts = parts
        self._judges = judges
        self._ends = ends
        self._prefill = prefill

    def judge(self, samples: Sequence[Sample]) -> list[Judged]:
        """What each sample is worth, in order."""
        found: list[dict[str, Verdict]] = [{} for _ in samples]
        for name, part in self.parts.items():
            rows = [row for row, sample in enumerate(samples) if part.judges(sample.task)]
            batch = [samples[row] for row in rows]
            verdicts = judge_batch(name, part.judging, self._judges[name], batch) if batch else []
            for row, verdict in zip(rows, verdicts, strict=True):
                found[row][name] = verdict
        return [Judged(self._sum(verdicts), verdicts) for verdicts in found]

    def _sum(self, verdicts: Mapping[str, Verdict]) -> float | None:
        """The weighted sum, or None where a required part, or every part, is unknown."""
        known = {name: each.score for name, each in verdicts.items() if each.score is not None}
        if not known or any(self.parts[name].required for name in verdicts if name not in known):
            return None
        weighted = sum(self.parts[name].weight * score for name, score in known.items())
        there = sum(self.parts[name].weight for name in known)
        return weighted * sum(self.parts[name].weight for name in verdicts) / there

    def __call__(
        self,
        prompts: Sequence[Any],
        completions: Sequence[Any],
        completion_ids: Sequence[Sequence[int]] | None = None,
        log_extra: Callable[[str, list[Any]], None] | None = None,
        log_metric: Callable[[str, float], None] | None = None,
        **columns: Any,
    ) -> list[float | None]:
        """One reward each, in order.

        Args:
            prompts, completions: texts, or lists of chat turns.
            completion_ids: their tokens, which tell a finished completion from a cut one.
            log_extra, log_metric: given by trl: columns of its table of completions, and metrics.
            columns: of the dataset, one value a row; `answer`, `language` and `task` are read.
        """
        ids: Sequence[Sequence[int] | None] = completion_ids or [None] * len(completions)
        samples = [
            self._sample(row, prompt, completion, tokens, columns)
            for row, (prompt, completion, tokens) in enumerate(
                zip(prompts, completions, ids, strict=True)
            )
        ]
        judged = self.judge(samples)
        if log_extra is not None:
            for name in self.parts:
                column = [each.verdicts.get(name) for each in judged]
                log_extra(f"{name}/score", [verdict and verdict.score for verdict in column])
                log_extra(f"{name}/reason", [verdict and verdict.reason for verdict in column])
        if log_metric is not None:
            for name, value in reward_metrics(self.parts, judged).items():
                log_metric(name, value)
        return [each.reward for each in judged]

    def _sample(
        self,
        row: int,
        prompt: Any,
        completion: Any,
        tokens: Sequence[int] | None,
        columns: Mapping[str, Any],
    ) -> Sample:
        made = policy_generation(tokens, self._ends, index=row, prefilled=bool(self._prefill))
        given = {name: columns[name][row] for name in _COLUMNS if name in columns}
        fields = {name: str(value) for name, value in given.items() if value is not None}
        text = self._prefill + text_of(completion)
        return new_sample(turns_of(prompt), completion=text, generation=made, **fields)


def reward_metrics(parts: Collection[str], judged: Sequence[Judged]) -> dict[str, float]:
    """Means over what is known, of each part and of the sum; the share of unknown sums."""
    found: dict[str, float] = {}
    for name in parts:
        verdicts = [each.verdicts[name] for each in judged if name in each.verdicts]
        scores = [verdict.score for verdict in verdicts if verdict.score is not None]
        if scores:
            found[f"reward_parts/{name}"] = sum(scores) / len(scores)
    sums = [each.reward for each in judged if each.reward is not None]
    if sums:
        found["reward_parts/sum"] = sum(sums) / len(sums)
    if judged:
        found["reward_parts/unknown"] = 1 - len(sums) / len(judged)
    return found
