"""What processes that train together must do at the same step: stop, and write a checkpoint.

A wish to stop reaches one process, and a process that stopped alone would leave the others waiting
for its gradients for ever. So after each step all ask each other. And the main process seals a
checkpoint (hashes, then removes the older ones) only when the others have written their parts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...pipeline.stopping import StopSignal


def agreement(stop: StopSignal, wished: Callable[[], bool]) -> Any:
    """A callback to add before those of callbacks.py, in every process.

    Args:
        stop: is requested in all processes after the step at which any of them wished it.
        wished: whether this process was asked to stop.
    """
    import torch
    from transformers import TrainerCallback

    class Agreement(TrainerCallback):  # type: ignore[misc]  # transformers has no types here
        """Asks the other processes."""

        def on_step_end(self, args: Any, state: Any, control: Any, **facts: Any) -> None:
            wish = torch.tensor(int(wished()), device=args.device)
            torch.distributed.all_reduce(wish, torch.distributed.ReduceOp.MAX)
            stop.requested = bool(wish.item())

        def on_save(self, args: Any, state: Any, control: Any, **facts: Any) -> None:
            args.distributed_state.wait_for_everyone()

    return Agreement()
