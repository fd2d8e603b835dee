"""On-policy distillation: the student writes, and the teacher says what it would have written.

trl's `DistillationTrainer`. The student is asked with the very tokens that it is served with; trl
would render the prompts itself. Every problem is asked once an epoch, in an order by seed and
epoch that a killed training goes on with (train/grouped/order.py says what trl's own does).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from ..grouped.order import problem_order
from ..running.bench import Bench


class BatchOrder:
    """Row numbers of one epoch after another: a whole batch, once for each micro-batch of it, since
    trl writes a batch at its first micro-batch and trains a part at each."""

    def __init__(self, trainer: Any, problems: int) -> None:
        args = trainer.args
        self._trainer = trainer
        self._problems = problems
        self._repeats: int = args.gradient_accumulation_steps
        self._together: int = args.train_batch_size * self._repeats * args.world_size

    def __len__(self) -> int:
        return -(-self._problems // self._together) * self._together * self._repeats

    def __iter__(self) -> Iterator[int]:
        seed, epoch = self._trainer.args.seed, int(self._trainer.state.epoch or 0)
        order = problem_order(self._problems, self._together, seed, epoch)
        for at in range(0, len(order), self._together):
            for _ in range(self._repeats):
                yield from order[at : at + self._together]


def prompt_rows(problems: pa.Table) -> pa.Table:
    """What the trainer is given of each problem: the tokens of its prompt."""
    return pa.table({"prompt": problems["prompt_ids"]})


def on_policy_trainer(bench: Bench, teacher: Any, **own: Any) -> Any:
    """trl's DistillationTrainer over prompts that are tokens already.

    Args:
        own: fields of trl's `DistillationConfig`.
    """
    from trl import DistillationConfig

    # trl stops a completion at the tokenizer's end of sequence and at what the model names here.
    bench.model.generation_config.eos_token_id = bench.student.end_of_turn
    return _trainer_class()(
        model=bench.model,
        teacher_model=teacher,
        args=DistillationConfig(**bench.arguments(**own)),
        train_dataset=bench.dataset(),
        processing_class=bench.student.tokenizer,
        peft_config=bench.peft_config,
    )


def _trainer_class() -> Any:
    from trl import DistillationTrainer

    class ServedPromptsTrainer(DistillationTrainer):  # type: ignore[misc]  # trl has no types here
        """Asks with tokens."""

        def _tokenize_prompts(
            self, prompts: Sequence[Sequence[int]]
        ) -> tuple[Sequence[Sequence[int]], None, dict[str, Any]]:
            return prompts, None, {}

        def _get_train_sampler(self, dataset: Any = None) -> BatchOrder:
            return BatchOrder(self, len(dataset or self.train_dataset))

    return ServedPromptsTrainer
