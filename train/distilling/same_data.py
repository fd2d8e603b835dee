"""Logit distillation on the rows of sft: the same tokens, masks and order, another loss.

trl's `GKDTrainer` with `lmbda=0` and `seq_kd=False`: nothing is generated, every row is the data's
own. Its loss is computed here, with its own divergence, since trl 1.16 leaves out there what sft
has: the temperature, the share of each process, and the load balance of experts. Prompt and padding
are cut away before the softmax, which is most of the memory at long prompts.

`sft_loss` in the log is what sft would call `loss` on the same batch, and `teacher_loss` the same
of the teacher.
"""

from __future__ import annotations

import os
from typing import Any

from ...models.chat import IGNORED
from ..rows.order import in_order
from ..running.bench import Bench


def same_data_trainer(
    bench: Bench, teacher: Any, *, beta: float, temperature: float, longest_first: bool
) -> Any:
    """trl's GKDTrainer over token rows.

    Args:
        beta: 0 is the forward KL divergence, 1 the reverse one, between is Jensen-Shannon.
    """
    os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"  # a notice; the extra pins the version of trl
    from trl.experimental.gkd import GKDConfig
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    own = {
        "lmbda": 0.0,
        "seq_kd": False,
        "beta": beta,
        "temperature": temperature,
        "disable_dropout": False,  # as in sft
        "max_length": None,
        "dataset_kwargs": {"skip_prepare_dataset": True},
    }
    return in_order(_trainer_class(), longest_first=longest_first)(
        model=bench.model,
        teacher_model=teacher,
        args=GKDConfig(**bench.arguments(**own)),
        data_collator=DataCollatorForLanguageModeling(bench.student.tokenizer.pad_token_id),
        train_dataset=bench.dataset(),
        processing_class=bench.student.tokenizer,
        peft_config=bench.peft_config,
    )


def _trainer_class() -> Any:
    import torch
    from torch.nn.functional import cross_entropy
    from trl.experimental.gkd import GKDTrainer

    class SameDataTrainer(GKDTrainer):  # type: ignore[misc]  # trl has no types here
        """Compares distributions at the tokens that sft trains, and nowhere else."""

        def compute_loss(
            self,
            model: Any,
            inputs: Any,
            return_outputs: bool = False,
            num_items_in_batch: Any = None,
        ) -> Any:
            labels = inputs["labels"][:, 1:]
            given = {name: inputs[name] for name in inputs if name != "labels"}
            trained = labels != IGNORED
            outputs = model(**given, use_cache=False)
            self.teacher_model.eval()
            with torch.no_grad():
                taught = self.teacher_model(**given, use_cache=False).logits[:, :-1][trained]
            said = outputs.logits[:, :-1][trained]
            tokens = trained.sum() if num_items_in_batch is None else num_items_in_batch
            loss = self._scale * self.generalized_jsd_loss(
                said,
                taught,
                beta=self.beta,
                temperature=self.temperature,
                num_items_in_batch=tokens,
            )
            if self.aux_loss_enabled:
                steps = self.current_gradient_accumulation_steps
                loss = loss + self.router_aux_loss_coef * outputs.aux_loss / steps
            self._tell(labels[trained], tokens, sft_loss=said, teacher_loss=taught)
            return (loss, outputs) if return_outputs else loss

        @property
        def _scale(self) -> int:
            """The number of tokens is that of all processes, whose gradients DDP averages."""
            averages = self.args.average_tokens_across_devices
            return int(self.accelerator.num_processes) if averages else 1

        def _tell(self, labels: Any, tokens: Any, **logits: Any) -> None:
            """Mean negative log-likelihoods of the batch; trl's log averages over micro-batches."""
            for name, of in logits.items():
                with torch.no_grad():
                    lost = cross_entropy(of.float(), labels, reduction="sum")
                everywhere = self.accelerator.gather(lost).sum() / tokens
                share = everywhere * self.current_gradient_accumulation_steps
                self._metrics["train"][name].append(share.item())

    return SameDataTrainer
