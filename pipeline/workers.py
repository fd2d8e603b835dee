"""The one mechanism for work that runs in parallel or must be killable: a pool of processes.

    with WorkerPool(check, count=4, cpu_seconds=2.0, memory_bytes=1 << 30) as pool:
        for outcome in pool.map(jobs):          # in the order of the jobs, whatever the count
            ...                                 # Done | Raised | TimedOut | OutOfMemory | Crashed

Each worker handles one job at a time, told over a socket, and is killed and replaced when a job
exceeds a limit (how: `worker_process.py`). `TimedOut` counts the job's own CPU seconds; the wall
limit is only a net for work that waits for ever, and gives `Crashed`.

Jobs and outcomes travel in chunks, and a worker leaves behind which job it was at, so a death is
the fault of exactly one job: its neighbours are neither lost nor blamed. A job that timed out,
crashed or ran out of memory in a worker that had served others before is tried once more in a
fresh one, and only that outcome counts: what neighbours left behind in caches and memory is no
job's fault.

Workers die with the *thread* that first needed them (PR_SET_PDEATHSIG is bound to it): keep a
pool on a thread that lives as long as the pool. Nobody else in potstill starts processes for work.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import wait
from types import TracebackType
from typing import Any, Generic, TypeVar

from .errors import StepFailed
from .outcome import Crashed, Outcome, OutOfMemory, TimedOut
from .worker_handle import WorkerHandle, pickled, start_worker
from .worker_process import Assignment, Ready

J = TypeVar("J")
R = TypeVar("R")

LARGEST_CHUNK = 32
"""Jobs in one message: beyond this the round trip is lost in the noise, the imbalance is not."""
CHUNKS_PER_WORKER = 4
WALL_PER_CPU_SECOND, LEAST_WALL_SECONDS = 60.0, 120.0
"""The net: a machine would have to be 60 times overloaded before it cuts honest work."""
POLL_SECONDS = 1.0
"""How often silent deaths and passed deadlines are looked for."""


class _Batch(Generic[J, R]):
    """The jobs of one `map`: which wait, which are suspects, and the outcomes so far."""

    def __init__(self, jobs: Sequence[J], count: int) -> None:
        self.jobs = jobs
        self.chunks = deque(_chunks(len(jobs), count))
        self.suspects: deque[int] = deque()
        self.outcomes: dict[int, Outcome[R]] = {}

    @property
    def waiting(self) -> int:
        return len(self.chunks) + len(self.suspects)

    def settle(self, worker: WorkerHandle, outcome: Outcome[R]) -> None:
        """Book the outcome of the job a worker was on, or keep the job for a second opinion."""
        index = worker.jobs.popleft()
        if worker.served and isinstance(outcome, TimedOut | Crashed | OutOfMemory):
            self.suspects.append(index)
        else:
            self.outcomes[index] = outcome
        worker.served += 1

    def blame(self, worker: WorkerHandle, cause: Outcome[R]) -> None:
        """Book how a worker died on the job it was at; what it finished untold is done again."""
        untold = [worker.jobs.popleft() for _ in range(worker.finished_unheard())]
        worker.served += len(untold)
        self.settle(worker, cause)
        worker.jobs.extendleft(reversed(untold))
        self.put_back(worker)

    def put_back(self, worker: WorkerHandle) -> None:
        """What a lost worker had not told of waits again, in front."""
        if worker.jobs:
            self.chunks.appendleft(list(worker.jobs))
            worker.jobs.clear()


def _chunks(jobs: int, count: int) -> Iterator[list[int]]:
    """Indices in order, in ever smaller chunks: the last jobs must not all wait for one worker."""
    start = 0
    while start < jobs:
        size = max(1, min(LARGEST_CHUNK, (jobs - start) // (count * CHUNKS_PER_WORKER)))
        yield list(range(start, start + size))
        start += size


class WorkerPool(Generic[J, R]):
    """`count` processes that run `function` on one job at a time, within limits.

    Args:
        function: importable by name (not from `__main__`, no lambda); jobs and results are pickled.
        count: most processes at a time; they start when there is work for them.
        cpu_seconds: CPU time a job may use; None: no limit.
        memory_bytes: address space a job may add to what the imports took; None: no limit.
            Not enforced on macOS, whose kernel ignores RLIMIT_AS.
        wall_seconds: the net for jobs that wait for ever; by default 60 times `cpu_seconds`
            (at least two minutes), or none without a CPU limit.
        initializer: called once in each new worker, for imports and models; not limited.

    Raises:
        ValueError: `function` cannot be named to another process.
    """

    def __init__(
        self,
        function: Callable[[J], R],
        *,
        count: int = 1,
        cpu_seconds: float | None = None,
        memory_bytes: int | None = None,
        wall_seconds: float | None = None,
        initializer: Callable[[], None] | None = None,
    ) -> None:
        if count < 1:
            raise ValueError(f"count is {count}; expected at least 1 worker")
        if wall_seconds is None and cpu_seconds is not None:
            wall_seconds = max(LEAST_WALL_SECONDS, cpu_seconds * WALL_PER_CPU_SECOND)
        self._count = count
        self._cpu_seconds = cpu_seconds
        self._wall_seconds = wall_seconds
        self._assignment = pickled(Assignment(function, initializer, cpu_seconds, memory_bytes))
        self._workers: list[WorkerHandle] = []
        self._in_use = False

    def __enter__(self) -> WorkerPool[J, R]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Kill every worker; the pool starts new ones if it is used again."""
        while self._workers:
            self._workers.pop().end()

    def map(self, jobs: Sequence[J]) -> Iterator[Outcome[R]]:
        """Outcomes in the order of the jobs. One call at a time; leaving it early kills its jobs.

        Raises:
            StepFailed: a worker could not start.
            RuntimeError: another `map` of this pool is still being read.
        """
        if self._in_use:
            raise RuntimeError("this pool is already in a map; use one pool per thread")
        self._in_use = True
        batch: _Batch[J, R] = _Batch(jobs, self._count)
        try:
            for index in range(len(jobs)):
                while index not in batch.outcomes:
                    self._hand_out(batch)
                    self._collect(batch)
                yield batch.outcomes.pop(index)
        finally:
            self._in_use = False
            for worker in [worker for worker in self._workers if worker.jobs]:
                self._drop(worker)

    def _hand_out(self, batch: _Batch[J, R]) -> None:
        """Give every idle worker something, and start as many as there is work for."""
        for worker in [worker for worker in self._workers if worker.ready and not worker.jobs]:
            if batch.suspects and not worker.served:
                self._send(worker, batch, [batch.suspects.popleft()])
            elif batch.chunks:
                self._send(worker, batch, batch.chunks.popleft())
            elif batch.suspects and all(other.ready for other in self._workers):
                self._drop(worker)  # a fresh one takes its place
        busy = sum(not worker.ready or bool(worker.jobs) for worker in self._workers)
        wanted = min(self._count, batch.waiting + busy)
        while len(self._workers) < wanted:
            self._workers.append(start_worker(self._assignment, self._cpu_seconds))

    def _send(self, worker: WorkerHandle, batch: _Batch[J, R], chunk: list[int]) -> None:
        worker.deadline = self._deadline()
        try:
            worker.give(chunk, [batch.jobs[index] for index in chunk])
        except (BrokenPipeError, ConnectionResetError):  # it died while it was idle
            batch.put_back(worker)
            self._drop(worker)

    def _collect(self, batch: _Batch[J, R]) -> None:
        """Wait for news of any worker; a passed deadline counts only where there is none."""
        workers = {worker.connection: worker for worker in self._workers}
        told: list[Any] = wait(list(workers), timeout=POLL_SECONDS)
        for connection in told:
            self._take(workers.pop(connection), batch)
        now = time.monotonic()
        for worker in workers.values():
            if (cause := worker.silent_death()) is not None:
                self._bury(worker, batch, cause)
            elif worker.deadline is not None and now > worker.deadline:
                self._bury(worker, batch, Crashed("no result within the wall limit; killed"))

    def _take(self, worker: WorkerHandle, batch: _Batch[J, R]) -> None:
        """Act on a worker's message: it is ready, it died, or it has an outcome."""
        news = worker.hear()
        if isinstance(news, TimedOut | Crashed):
            self._bury(worker, batch, news)
        elif isinstance(news, Ready):
            if news.problem is not None:
                raise StepFailed(f"a worker process could not start: {news.problem}")
            worker.ready, worker.deadline = True, None
        else:
            for outcome in news:
                batch.settle(worker, outcome)
            worker.deadline = self._deadline() if worker.jobs else None
            if isinstance(news[-1], OutOfMemory):  # its heap is worn out: the next gets a new one
                batch.put_back(worker)
                self._drop(worker)

    def _bury(self, worker: WorkerHandle, batch: _Batch[J, R], cause: TimedOut | Crashed) -> None:
        """A worker was lost: one job is to blame, the rest of its chunk goes back."""
        if worker.jobs:
            batch.blame(worker, cause)
        self._drop(worker)
        if not worker.ready:
            raise StepFailed(
                f"a worker process died while starting ({cause}); its own messages are above. "
                "Expected it to import its function; try fewer workers if memory is short."
            )

    def _drop(self, worker: WorkerHandle) -> None:
        self._workers.remove(worker)
        worker.end()

    def _deadline(self) -> float | None:
        return None if self._wall_seconds is None else time.monotonic() + self._wall_seconds
