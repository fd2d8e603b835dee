"""One of several processes that train together: `python -m potstill.train.running.rank JOB`.

Started by torchrun, which `accelerate launch` runs on each machine (launcher.py). It reads the job,
joins the others and does what a training in one process does (fit.py); only rank 0 logs, judges
and writes. Where the step runs on this machine it is told of progress and errors, and can ask to
stop; on other machines there is nobody to tell, and what is printed is all.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, Final, cast

from ...pipeline.errors import PotstillError, RequestError, StoppedOnPurpose
from ...pipeline.progress import Event, Progress
from ...pipeline.step_process import ERRORS
from .agreement import agreement
from .bench import Bench
from .channel import SOCKET, RankEnd
from .fit import fit
from .job import Job, read_job, share_of
from .launch import FOLDER
from .numerics import quiet_environment

if TYPE_CHECKING:
    from ..training import TrainingStage

_TIMEOUT: Final = timedelta(hours=2)
"""How long one process waits for another: rank 0 alone hashes a checkpoint (torch's own: 10 or 30
minutes)."""
_DEEPSPEED_STATES: Final = (
    "deepspeed.runtime.fp16.loss_scaler:LossScaler",
    "deepspeed.runtime.zero.config:ZeroStageEnum",
    "deepspeed.utils.tensor_fragment:fragment_address",
)
"""Classes in its checkpoints (deepspeedai/DeepSpeed#8500, modelscope/ms-swift#5808)."""


def main(job: Path) -> int:
    """Train; returns the exit code. A training that was asked to stop has not failed."""
    quiet_environment()
    os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] = "1"  # whatever library reads a pickle
    rank, address = int(os.environ["RANK"]), os.environ.get(SOCKET)
    line = None if address is None else RankEnd(address, rank)
    tell: Callable[[Event], None] = _nobody if line is None else line.tell
    if line is not None:
        _leave_stopping_to_the_step()
    tell({"event": "begun", "pid": os.getpid()})
    try:
        _train(read_job(job), rank, tell, lambda: line is not None and line.stop_wished)
    except BaseException as error:
        if not isinstance(error, StoppedOnPurpose):
            traceback.print_exc()
        tell(_as_event(error))
        return int(not isinstance(error, StoppedOnPurpose))
    tell({"event": "done"})
    return 0


def _train(job: Job, rank: int, tell: Callable[[Event], None], wished: Callable[[], bool]) -> None:
    import torch
    from accelerate import PartialState

    torch.set_num_threads(job.numerics.threads)
    # Before the weights are read: under FSDP only the first process of a machine reads them.
    together = PartialState(cpu=job.numerics.device == "cpu", timeout=_TIMEOUT)
    _refuse_other_jobs(job)
    if job.sharding == "deepspeed":
        _allow_deepspeed_states()
    progress = Progress(tell if rank == 0 else _only_spending(tell))
    here = int(os.environ["LOCAL_WORLD_SIZE"])
    context = share_of(job.context, progress, here, together.num_processes)
    student = job.stage.open_student(context)
    checkpoints = context.state / FOLDER
    bench = Bench(job.stage, context, student, job.numerics, job.rows, checkpoints, rank == 0)
    fit(cast("TrainingStage", _Agreeing(job.stage, wished)), bench)
    together.destroy_process_group()


@dataclass(frozen=True)
class _Agreeing:
    """A stage whose trainers agree with those of the other processes."""

    stage: TrainingStage
    wished: Callable[[], bool]

    @contextlib.contextmanager
    def open_trainer(self, bench: Bench) -> Iterator[Any]:
        """The stage's trainer; its agreement comes before the callbacks that heed it."""
        with self.stage.open_trainer(bench) as trainer:
            trainer.add_callback(agreement(bench.context.stop, self.wished))
            _tell_repeated(trainer, bench)
            yield trainer


def _tell_repeated(trainer: Any, bench: Bench) -> None:
    """accelerate gives every process as much to do, with rows of the epoch's beginning."""
    args, rows = trainer.args, len(trainer._get_train_sampler())
    again = -rows % (args.train_batch_size * args.world_size)
    if again:
        bench.context.progress.note(
            f"{again} rows are trained twice in each epoch, in its last step: {rows} rows cannot "
            f"be shared out evenly among {args.world_size} processes"
        )


def _leave_stopping_to_the_step() -> None:
    """Ignore SIGTERM, which the launcher blocked for all below it; programs that this process
    starts get it again."""
    signal.signal(signal.SIGTERM, lambda number, frame: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])


def _refuse_other_jobs(job: Job) -> None:
    """A machine that was given another folder, or sees an older file, would wait for ever."""
    from accelerate.utils import gather_object

    if len(set(gather_object([job.digest]))) > 1:
        raise RequestError(
            f"the machines of {job.context.step} were given different jobs. Expected one folder "
            "that all of them see, on a shared file system."
        )


def _allow_deepspeed_states() -> None:
    """DeepSpeed reads its own checkpoints as pickles of any kind, which `main` forbids."""
    from torch.serialization import add_safe_globals

    add_safe_globals([resolve_name(name) for name in _DEEPSPEED_STATES])


def _only_spending(tell: Callable[[Event], None]) -> Callable[[Event], None]:
    def send(event: Event) -> None:
        if event["event"] == "spent":
            tell(event)

    return send


def _nobody(event: Event) -> None:
    """The step is on another machine."""


def _as_event(error: BaseException) -> Event:
    if isinstance(error, PotstillError):
        kind = next((kind for kind, known in ERRORS.items() if isinstance(error, known)), "failed")
        return {"event": "error", "kind": kind, "message": str(error)}
    first = (str(error).strip().splitlines() or ["no message"])[0][:500]
    return {"event": "error", "kind": None, "message": f"{type(error).__name__}: {first}"}


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
