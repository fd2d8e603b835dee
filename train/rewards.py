"""Filters as the reward of trl: one callable that returns the weighted sum of their scores.

    parts = {"math": Part(MathAnswer()), "format": Part(Format(), weight=0.2)}
    with open_reward(parts, JudgeContext(workers=4), ends=[tokenizer.eos_token_id]) as reward:
        GRPOTrainer(model, reward_funcs=reward, ...)

R1's reward is such a sum: accuracy + format + language consistency. It is one callable and not one
for each filter because trl sums with nansum: of several functions, one that returns None counts as
0 (trl 1.16, `grpo_trainer.py`), and unknown would become wrong. Here a completion whose *required*
part is unknown has the reward None, which trl leaves out of its group. An unknown part that is not
required is left out of the sum, and the known ones take its weight.

The judges are those that `judge`, `accept` and `evaluate` open; nothing is judged a second way.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..pipeline.errors import RequestError
from ..pipeline.filter import Judge, JudgeContext, SampleFilter
from ..pipeline.judging import judge_batch
from ..pipeline.sample import Generation, Message, Sample, new_sample
from ..pipeline.verdict import Verdict

_COLUMNS = ("answer", "language", "task")
"""Columns of a dataset that a sample takes over; others are trl's or the user's."""


@dataclass(frozen=True)
class Part:
    """One filter of a reward."""

    judging: SampleFilter
    weight: float = 1.0
    required: bool = True
    """Whether the whole reward is unknown where this part is."""


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
        RequestError: there is no part, or one has no weight.
    """
    if not parts or any(part.weight <= 0 for part in parts.values()):
        weights = {name: part.weight for name, part in parts.items()}
        raise RequestError(f"the reward's weights are {weights}; expected one or more above 0")
    with contextlib.ExitStack() as stack:
        judges = {
            name: stack.enter_context(part.judging.open(context)) for name, part in parts.items()
        }
        yield Reward(parts, judges, frozenset(ends), prefill)


class Reward:
    """What trl calls with a batch of completions; made by `open_reward`."""

    def __init__(
        self,
        parts: Mapping[str, Part],
        judges: Mapping[str, Judge],
        ends: frozenset[int],
        prefill: str,
    ) -> None:
        self.__name__ = "reward"  # trl names its metrics by it
        self._parts = parts
        self._judges = judges
        self._ends = ends
        self._prefill = prefill

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
        verdicts = {
            name: judge_batch(name, part.judging, self._judges[name], samples)
            for name, part in self._parts.items()
        }
        rewards = [
            self._sum({name: column[row] for name, column in verdicts.items()})
            for row in range(len(samples))
        ]
        self._log(verdicts, rewards, log_extra, log_metric)
        return rewards

    def _sum(self, verdicts: Mapping[str, Verdict]) -> float | None:
        """The weighted sum, or None where a required part, or every part, is unknown."""
        known = {name: each.score for name, each in verdicts.items() if each.score is not None}
        if not known or any(
            part.required and name not in known for name, part in self._parts.items()
        ):
            return None
        weighted = sum(self._parts[name].weight * score for name, score in known.items())
        there = sum(self._parts[name].weight for name in known)
        return weighted * sum(part.weight for part in self._parts.values()) / there

    def _sample(
        self,
        row: int,
        prompt: Any,
        completion: Any,
        tokens: Sequence[int] | None,
        columns: Mapping[str, Any],
    ) -> Sample:
        cut = bool(tokens and self._ends) and tokens is not None and tokens[-1] not in self._ends
        made = Generation(
            teacher="policy",
            revision="",
            key="",
            index=row,
            seed=None,
            finish_reason="length" if cut else "stop",
            prompt_tokens=None,
            completion_tokens=None if tokens is None else len(tokens),
            prefilled_think=bool(self._prefill),
        )
        given = {name: columns[name][row] for name in _COLUMNS if name in columns}
        fields = {name: str(value) for name, value in given.items() if value is not None}
        return new_sample(
            _turns(prompt), completion=self._prefill + _text(completion), generation=made, **fields
        )

    def _log(
        self,
        verdicts: Mapping[str, Sequence[Verdict]],
        rewards: Sequence[float | None],
        log_extra: Callable[[str, list[Any]], None] | None,
        log_metric: Callable[[str, float], None] | None,
    ) -> None:
        """Each part's scores and reasons beside the completions; means of what is known."""
        for name, column in verdicts.items():
            if log_extra is not None:
                log_extra(f"{name}/score", [verdict.score for verdict in column])
                log_extra(f"{name}/reason", [verdict.reason for verdict in column])
            scores = [verdict.score for verdict in column if verdict.score is not None]
            if log_metric is not None and scores:
                log_metric(f"reward_parts/{name}", sum(scores) / len(scores))
        if log_metric is not None and rewards:
            log_metric("reward_parts/unknown", rewards.count(None) / len(rewards))


def _turns(prompt: Any) -> tuple[Message, ...]:
    if isinstance(prompt, str):
        return (Message("user", prompt),)
    return tuple(Message(str(turn["role"]), str(turn["content"])) for turn in prompt)


def _text(completion: Any) -> str:
    """A completion's text; a chat turn that came with its thought apart is put together again."""
    if isinstance(completion, str):
        return completion
    turn = completion[-1]
    content = str(turn.get("content") or "")
    thought = turn.get("reasoning_content")
    return content if thought is None else f"<think>\n{thought}\n</think>\n{content}"
