"""Before the first step: do rows that stand in one sequence really not see each other?

Where rows are packed or flattened, nothing but their positions and borders keeps them apart, and
an attention that does not heed these trains on nonsense without a word. So the model itself is
asked, on its own device, in its own dtype and however it is wrapped: a short row behind two others
must get the logits that it gets alone. How large a difference would be without borders is measured
in the same way, so that the rounding of a dtype is told from a leak.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from ...pipeline.errors import RequestError

ROWS: Final = (13, 7, 19)
"""Tokens of the rows that are tried; the last one is compared."""
LEAK: Final = {"float32": 0.001, "bfloat16": 0.2, "float16": 0.05}
"""From which share of the difference that seeing everything makes a difference is a leak. Tiny
models on the CPU: below 2e-6 in float32 and 0.03 in bfloat16 where rows are kept apart."""


def isolation_check() -> Any:
    """A callback that refuses to train where rows see each other."""
    from transformers import TrainerCallback

    class IsolationCheck(TrainerCallback):  # type: ignore[misc]  # transformers has no types here
        """Asks before the first step, in every process alike."""

        def on_train_begin(self, args: Any, state: Any, control: Any, **facts: Any) -> None:
            refuse_leaks(facts["model"], "bfloat16" if args.bf16 else "float32")

    return IsolationCheck()


def refuse_leaks(model: Any, dtype: str) -> None:
    """Compare a row alone with the same row behind others.

    Args:
        dtype: of the arithmetic.

    Raises:
        RequestError: the attention lets rows of one sequence see each other.
    """
    share = leak(model)
    if share > LEAK[dtype]:
        config = model.config
        raise RequestError(
            f"rows in one sequence see each other: {config.model_type} with attention "
            f"{config._attn_implementation} changes the logits of a row by {share:.1%} of what "
            "seeing all rows before it changes. Set packing: false and padding_free: false, or "
            "another attention, such as sdpa."
        )


def leak(model: Any) -> float:
    """How much a row's logits depend on the rows before it: 0 not at all, 1 as if they were one.

    Logits are compared by their mean absolute difference. 0 for a model that ignores all context.
    """
    import torch

    rows = _rows(model.config.get_text_config().vocab_size)
    training = model.training
    model.eval()
    with torch.no_grad():
        alone, behind = _logits(model, rows[-1:]), _logits(model, rows)
        mixed = _logits(model, [[token for row in rows for token in row]])
    model.train(training)
    whole = (mixed - alone).abs().mean()
    return float((behind - alone).abs().mean() / whole) if whole else 0.0


def _rows(vocabulary: int) -> list[list[int]]:
    """Different tokens, spread over the vocabulary."""
    spread = iter(range(sum(ROWS)))
    return [[next(spread) * 7919 % vocabulary for _ in range(length)] for length in ROWS]


def _logits(model: Any, rows: Sequence[Sequence[int]]) -> Any:
    """Logits of the last tokens, as many as the last of `ROWS` has, of rows in one sequence."""
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    collate = DataCollatorForLanguageModeling(pad_token_id=0, padding_free=True)
    batch = collate([{"input_ids": list(row)} for row in rows])
    del batch["labels"]
    here = {
        name: value.to(model.device) if hasattr(value, "to") else value
        for name, value in batch.items()
    }
    return model(**here, use_cache=False).logits[0, -ROWS[-1] :].float()
