"""What happens between optimizer steps: progress, checkpoints, a wish to stop, a lost loss."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from ...pipeline.errors import StepFailed
from ..settings import Evaluation
from ..students.router_load import router_load_callbacks
from .bench import Bench
from .checkpoints import Checkpoints
from .evaluation import SCORE, Evaluator, Scored, best_step, summary, why_unjudged

CHECKPOINTS: Final = 20
"""Of a whole training, unless `checkpoint_every` says otherwise."""
SHOWN: Final = ("loss", "reward", "rewards/margins")
"""What the progress shows of a log, where it is there."""
EVALUATIONS: Final = 10
"""Of a whole training, unless `evaluate.every` says otherwise."""


def common_callbacks(
    bench: Bench, trainer: Any, evaluator: Evaluator | None, last: Path | None
) -> list[Any]:
    """Callbacks of every training, in the order in which they are to act.

    Args:
        last: the checkpoint that the training goes on from; None: it begins.
    """
    looking = [] if evaluator is None else [_looker(bench, trainer, evaluator)]
    routers = router_load_callbacks(trainer, last, bench.main)
    return [_reporter(bench), *looking, *routers, _saver(bench)]


def _reporter(bench: Bench) -> Any:
    from transformers import TrainerCallback

    class Reporter(TrainerCallback):  # type: ignore[misc]  # transformers has no types here
        """Tells progress; a loss that is no number ends the training at once."""

        def on_log(self, args: Any, state: Any, control: Any, **facts: Any) -> None:
            logs = facts["logs"]
            loss = logs.get("loss")
            if loss is None:
                return  # the summary at the end
            if not math.isfinite(loss):
                raise StepFailed(
                    f"the loss became {loss} at step {state.global_step} of {state.max_steps}: the "
                    f"training diverged. Set a lower learning_rate (now {args.learning_rate:g}) or "
                    "a longer warmup_share."
                )
            if bench.main:
                shown = {name: round(logs[name], 4) for name in SHOWN if name in logs}
                bench.context.progress.update(
                    state.global_step, state.max_steps, phase="train", **shown, **rate(logs)
                )

    rate = _token_rate()
    return Reporter()


def _token_rate() -> Callable[[Mapping[str, float]], dict[str, float]]:
    """Tokens per second since the log before, by trl's count; for the progress alone."""
    before: list[tuple[float, float]] = []

    def rate(logs: Mapping[str, float]) -> dict[str, float]:
        if "num_tokens" not in logs:
            return {}
        now = (time.monotonic(), logs["num_tokens"])
        told: dict[str, float] = {}
        if before and now[0] > before[0][0]:
            told = {"tokens_per_s": round((now[1] - before[0][1]) / (now[0] - before[0][0]))}
        before[:] = [now]
        return told

    return rate


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
                best = best_step(state.log_history) if bench.settings.keep == "best" else None
                checkpoints.seal(state.global_step, keep=best)

    return Saver()


def _looker(bench: Bench, trainer: Any, evaluator: Evaluator) -> Any:
    from accelerate.utils import gather_object
    from transformers import TrainerCallback

    config = evaluator.config
    share = slice(trainer.args.process_index, None, trainer.args.world_size)

    class Looker(TrainerCallback):  # type: ignore[misc]
        """Evaluates the student at the start, now and then, and at the end."""

        def on_train_begin(self, args: Any, state: Any, control: Any, **facts: Any) -> None:
            if state.global_step == 0:
                self._look(control)

        def on_step_end(self, args: Any, state: Any, control: Any, **facts: Any) -> None:
            every = config.every or max(1, state.max_steps // EVALUATIONS)
            if state.global_step % every and state.global_step < state.max_steps:
                return
            self._look(control)
            if bench.settings.keep == "best" and best_step(state.log_history) == state.global_step:
                control.should_save = True

        def _look(self, control: Any) -> None:
            scored = evaluator.scores(trainer.model, share)
            if trainer.args.world_size > 1:
                scored = gather_object(scored)
            due = control.should_log
            trainer.model.eval()  # or trl would add what it gathered of the training so far
            scores = summary(config, scored)
            trainer.log(scores)
            trainer.model.train()
            control.should_log = due  # logging these had cancelled the log of the step itself
            if bench.main and SCORE not in scores:
                bench.context.progress.note(_unscored(config, scored))

    return Looker()


def _unscored(config: Evaluation, scored: Sequence[Scored]) -> str:
    counts = why_unjudged(config, scored)
    reasons = ", ".join(f"{name} {count}" for name, count in counts.items())
    return (
        f"evaluate: {config.correct} could judge none of {counts.total()} completions ({reasons}). "
        "There is no pass@1, and without one at any look keep: best keeps the last weights"
    )
