"""What happens between optimizer steps: progress, checkpoints, a wish to stop, a lost loss."""

from __future__ import annotations

import math
from typing import Any, Final

from ...pipeline.errors import StepFailed
from .bench import Bench
from .checkpoints import Checkpoints

CHECKPOINTS: Final = 20
"""Of a whole training, unless `checkpoint_every` says otherwise."""


def common_callbacks(bench: Bench) -> list[Any]:
    """Callbacks of every training, in the order in which they are to act."""
    return [_reporter(bench), _saver(bench)]


def _reporter(bench: Bench) -> Any:
    from transformers import TrainerCallback

    class Reporter(TrainerCallback):  # type: ignore[misc]  # transformers has no types here
        """Tells progress; a loss that is no number ends the training at once."""

        def on_log(self, args: Any, state: Any, control: Any, **facts: Any) -> None:
            loss = facts["logs"].get("loss")
            if loss is None:
                return  # the summary at the end
            if not math.isfinite(loss):
                raise StepFailed(
                    f"the loss became {loss} at step {state.global_step} of {state.max_steps}: the "
                    f"training diverged. Set a lower learning_rate (now {args.learning_rate:g}) or "
                    "a longer warmup_share."
                )
            if bench.main:
                bench.context.progress.update(
                    state.global_step, state.max_steps, phase="train", loss=round(loss, 4)
                )

    return Reporter()


def _saver(bench: Bench) -> Any:
    from transformers import TrainerCallback

    checkpoints = Checkpoints(bench.checkpoints)

    class Saver(TrainerCallback):  # type: ignore[misc]
        """Asks for checkpoints and seals them; a wish to stop is heeded after one."""

        def on_step_end(self, args: Any, state: Any, control: Any, **facts: Any) -> None:
            every = bench.settings.checkpoint_every or max(1, state.max_steps // CHECKPOINTS)
            stopping = bench.context.stop.requested
            last = state.global_step >= state.max_steps
            if stopping or last or state.global_step % every == 0:
                control.should_save = True
            if stopping:
                control.should_training_stop = True

        def on_save(self, args: Any, state: Any, control: Any, **facts: Any) -> None:
            if bench.main:
                checkpoints.seal(state.global_step)

    return Saver()
