"""A reward model's opinion of a completion: a sequence-classification model as the score.

    quality: {kind: reward_model, model: hub:owner/reward-model}
    toxicity: {kind: reward_model, model: ./classifier, label: harmless}

With one logit the score is its sigmoid; with several it is the probability of `label`. The logit
itself is in the evidence, since the sigmoid of a reward above 10 is 1 whatever it is. What is too
long for the model is not cut but unknown (`if_too_long: bad` makes it 0). Logits are rounded to
four decimals: the last digits of a float depend on which samples share a batch. Near a rounding
edge they still may; for exact repetition take float32 and the same machine.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from ..models.reward_network import Dtype, Encoded, RewardNetwork, load_reward_network
from ..models.thinking import split
from ..pipeline.errors import RequestError
from ..pipeline.filter import JudgeContext, SampleFilter
from ..pipeline.references import Execution, Model
from ..pipeline.sample import Sample
from ..pipeline.verdict import Json, Verdict
from .unfinished import UNFINISHED, unfinished

_DECIMALS: Final = 4


class RewardModel(SampleFilter):
    """The score that a sequence-classification model gives to prompt and completion."""

    kind: ClassVar[str] = "reward_model"
    reasons: ClassVar[frozenset[str]] = UNFINISHED | {
        "scored",
        "too_long",
        "not_renderable",  # the model's chat template refuses the conversation
        "not_a_number",  # the network overflowed
        "out_of_memory",  # on this device, though alone in its batch
    }
    depends: ClassVar[tuple[str, ...]] = ("transformers",)

    model: Model
    label: str | None = None
    """Which label is good, where the model has several."""
    thought: bool = True
    """Show the model the thought too, and not the answer alone."""
    if_too_long: Literal["unknown", "bad"] = "unknown"
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    """Most tokens of prompt and completion; None: what the model was made for."""
    batch_tokens: Annotated[int, Execution(), Field(ge=1)] = 16_384
    """Tokens of one batch, padding included; one sample may be more."""
    device: Annotated[str, Execution()] = "auto"
    dtype: Annotated[Dtype, Execution()] = "auto"

    @contextlib.contextmanager
    def open(self, context: JudgeContext) -> Iterator[_RewardJudge]:
        network = load_reward_network(context.path(self.model), self.device, self.dtype)
        yield _RewardJudge(self, network, self._chosen(network))

    def _chosen(self, network: RewardNetwork) -> int:
        """Which logit is the score.

        Raises:
            RequestError: the model and the settings do not fit.
        """
        if self.thought and not network.keeps_thinking:
            raise RequestError(
                f"the chat template of {self.model} leaves out the thinking of an answer, so the "
                "model would not see it. Set thought: false, or choose another model."
            )
        if self.label is None and len(network.labels) == 1:
            return 0
        if self.label not in network.labels:
            raise RequestError(
                f"reward_model.label is {self.label!r}, but {self.model} has the labels "
                f"{', '.join(network.labels)}; name the one that is good"
            )
        return network.labels.index(self.label)


class _RewardJudge:
    def __init__(self, config: RewardModel, network: RewardNetwork, chosen: int) -> None:
        self._config = config
        self._network = network
        self._chosen = chosen
        self._limit = min(network.limit, config.max_tokens or network.limit)

    def judge(self, samples: Sequence[Sample]) -> list[Verdict]:
        verdicts: dict[int, Verdict] = {}
        encoded: dict[int, Encoded] = {}
        for row, sample in enumerate(samples):
            found = unfinished(sample) or self._encode(sample)
            if isinstance(found, Verdict):
                verdicts[row] = found
            else:
                encoded[row] = found
        for batch in self._batches(encoded):
            verdicts |= self._run(batch, encoded)
        return [verdicts[row] for row in range(len(samples))]

    def _encode(self, sample: Sample) -> Encoded | Verdict:
        completion = sample.completion or ""
        shown = split(completion).answer
        if not self._config.thought and shown is not None:
            completion = completion[slice(*shown)].strip()
        try:
            found = self._network.encode(sample.prompt, completion)
        except RequestError as error:
            return Verdict(None, "not_renderable", {"detail": str(error)})
        tokens = len(found["input_ids"])
        if tokens > self._limit:
            score = 0.0 if self._config.if_too_long == "bad" else None
            return Verdict(score, "too_long", {"tokens": tokens, "limit": self._limit})
        return found

    def _batches(self, encoded: dict[int, Encoded]) -> Iterator[list[int]]:
        """Rows in batches of similar length, the longest first: too little memory shows early."""
        rows = sorted(encoded, key=lambda row: (-len(encoded[row]["input_ids"]), row))
        most = 1
        batch: list[int] = []
        for row in rows:
            if len(batch) == most:
                yield batch
                batch = []
            if not batch:
                longest = max(1, len(encoded[row]["input_ids"]))
                most = max(1, self._config.batch_tokens // longest) if self._network.can_pad else 1
            batch.append(row)
        if batch:
            yield batch

    def _run(self, batch: Sequence[int], encoded: dict[int, Encoded]) -> dict[int, Verdict]:
        """Verdicts by row; a batch that does not fit into memory is halved."""
        import torch

        try:
            found = self._network.logits([encoded[row] for row in batch])
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
            if len(batch) == 1:
                return {batch[0]: Verdict(None, "out_of_memory")}
        else:
            return {row: self._verdict(each) for row, each in zip(batch, found, strict=True)}
        middle = len(batch) // 2
        return self._run(batch[:middle], encoded) | self._run(batch[middle:], encoded)

    def _verdict(self, logits: Sequence[float]) -> Verdict:
        if not all(map(math.isfinite, logits)):
            return Verdict(None, "not_a_number")
        rounded = [round(logit, _DECIMALS) for logit in logits]
        evidence: dict[str, Json] = {"logit": rounded[self._chosen]}
        if len(rounded) > 1:
            evidence["logits"] = dict(zip(self._network.labels, rounded, strict=True))
        return Verdict(self._score(rounded), "scored", evidence)

    def _score(self, logits: Sequence[float]) -> float:
        if not self._network.are_exclusive:
            return _sigmoid(logits[self._chosen])
        return 1 / sum(math.exp(min(each - logits[self._chosen], 700.0)) for each in logits)


def _sigmoid(value: float) -> float:
    """Without overflow for large negative values."""
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))
