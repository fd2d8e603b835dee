"""trl's GRPOTrainer with groups of our own making: a mixin that stands before it.

    class Trainer(GroupTraining, GRPOTrainer): ...

trl (1.16) keeps what it is good at: buffers, log-probabilities, advantages, the loss, its metrics.
Four of its hooks are answered here with a batch that was drawn and judged before:

* prompts are the tokens that `render_prompt` made, not a second render;
* completions come from `Drawing`, which may have replaced groups;
* rewards come from the project's filters, with NaN for unknown, which trl leaves out of the mean
  and the deviation of a group;
* what is unknown is taken out of the loss as a whole. trl gives it an advantage of zero, but still
  counts its tokens and pulls it towards the reference model. (The losses `grpo`, `dr_grpo` and
  `sapo` divide by the number of completions, unknown ones included, as trl does for cut ones.)
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...pipeline.errors import RequestError
from ..rewards import reward_metrics
from .order import ProblemOrder
from .resuming import load_pending, save_pending
from .rollouts import Batch, Drawing, Row, Written
from .saved_samples import SampleKeeper


class GroupTraining:
    """What GRPOTrainer is told otherwise."""

    accelerator: Any
    args: Any
    state: Any
    _metrics: Any
    num_generations: int

    def __init__(self, drawing: Drawing, keeper: SampleKeeper, **given: Any) -> None:
        super().__init__(**given)
        self._drawing = drawing
        self._keeper = keeper
        self._batch: Batch | None = None

    def _get_train_sampler(self, dataset: Any = None) -> ProblemOrder:
        return ProblemOrder(self, len(self._drawing.others))

    def _generate_and_score_completions(self, inputs: Sequence[Row]) -> dict[str, Any]:
        asked = list(inputs)[:: self.num_generations]  # the sampler repeats each problem
        share = (self.accelerator.process_index, self.accelerator.num_processes)
        step = self.state.global_step
        batch = self._drawing.draw(asked, self._write, step, share)
        self._tell(batch)
        self._batch = batch
        empty = [{"prompt": ""} for _ in batch.rollouts]  # trl would render and log prompts
        scored: dict[str, Any] = super()._generate_and_score_completions(empty)  # type: ignore[misc]
        self._leave_out_unknown(scored, batch)
        self._keeper.keep(step, share, batch, scored["advantages"].tolist())
        return scored

    def _write(self, prompts: list[list[int]]) -> Written:
        written: Written = super()._generate_single_turn(  # type: ignore[misc]
            prompts, None, {}, self.num_generations
        )
        return written

    def _tokenize_prompts(self, prompts: Sequence[Any]) -> tuple[list[list[int]], None, Any]:
        return [list(each.row["prompt_ids"]) for each in self._drawn.rollouts], None, {}

    def _generate_single_turn(self, *asked: Any, **more: Any) -> Written:
        rollouts = self._drawn.rollouts
        known = [each.logprobs for each in rollouts if each.logprobs is not None]
        return [each.tokens for each in rollouts], known or None

    def _calculate_rewards(self, *given: Any) -> Any:
        import torch

        rewards = [each.judged.reward for each in self._drawn.rollouts]
        column = [[math.nan if reward is None else reward] for reward in rewards]
        local = torch.tensor(column, dtype=torch.float32, device=self.accelerator.device)
        return self.accelerator.gather(local)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        super()._save_checkpoint(model, trial)  # type: ignore[misc]
        folder = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
        save_pending(folder, self)
        self.accelerator.wait_for_everyone()  # before the main process seals the folder

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        super()._load_optimizer_and_scheduler(checkpoint)  # type: ignore[misc]
        if checkpoint is not None:
            load_pending(Path(checkpoint), self)

    @property
    def _drawn(self) -> Batch:
        assert self._batch is not None, "trl asks only while it scores a batch"
        return self._batch

    def _leave_out_unknown(self, scored: dict[str, Any], batch: Batch) -> None:
        """No loss on completions whose reward is unknown, as trl does it for cut ones."""
        import torch

        known = [each.judged.reward is not None for each in batch.rollouts]
        mask = torch.tensor(known, device=self.accelerator.device)
        scored["completion_mask"] = scored["completion_mask"] * mask.unsqueeze(1)
        tokens = self.accelerator.gather(scored["completion_mask"].sum())
        scored["num_items_in_batch"] = tokens.sum()

    def _tell(self, batch: Batch) -> None:
        """Groups and reward parts for the log, over all processes.

        Raises:
            RequestError: no reward of the first generation is known.
        """
        from accelerate.utils import gather_object

        judged = [each.judged for group in batch.first for each in group.rollouts]
        everywhere = gather_object(judged)
        if self.state.global_step == 0 and all(each.reward is None for each in everywhere):
            raise RequestError(_all_unknown(everywhere))
        counts: Counter[str] = Counter()
        for found in gather_object([batch.counts]):
            counts.update(found)
        told: Mapping[str, float] = {
            **{f"groups/{name}": counts[name] for name in batch.counts},
            "groups/rounds": max(gather_object([batch.rounds])),
            **reward_metrics(self._drawing.reward.parts, everywhere),
        }
        for name, value in told.items():
            self._metrics["train"][name].append(value)


def _all_unknown(judged: Sequence[Any]) -> str:
    reasons: Counter[str] = Counter()
    for each in judged:
        for name, verdict in each.verdicts.items():
            if verdict.score is None:
                reasons[f"{name}: {verdict.reason}"] += 1
    told = ", ".join(f"{reason} ({count}x)" for reason, count in reasons.most_common(5))
    return (
        f"the rewards of all {len(judged)} completions of the first generation are unknown, so "
        f"there is nothing to learn: {told}. Expected problems with keys that the filters of "
        "`rewards` can check; `required: false` lets a part be unknown."
    )


def forget_later(trainer: Any, keeper: SampleKeeper) -> Any:
    """A callback: a training that goes on from a checkpoint writes what came after it again."""
    from transformers import TrainerCallback

    class Forget(TrainerCallback):  # type: ignore[misc]  # transformers has no types here
        def on_train_begin(self, args: Any, state: Any, control: Any, **facts: Any) -> None:
            if trainer.accelerator.is_main_process:
                keeper.begin(state.global_step)
            trainer.accelerator.wait_for_everyone()

    return Forget()
