"""The worker pool against jobs that hang, eat, crash and lie, and against a parent that dies."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from potstill.pipeline.errors import StepFailed
from potstill.pipeline.outcome import Crashed, Done, OutOfMemory, Raised, TimedOut
from potstill.pipeline.workers import WorkerPool

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # workers inherit the path, so they find the jobs by name

import jobs_for_workers as jobs  # noqa: E402

CPU = 0.5
MEMORY = 1 << 28


@pytest.fixture(scope="module")
def pool():
    with WorkerPool(jobs.misbehave, count=2, cpu_seconds=CPU) as made:
        yield made


@pytest.fixture(scope="module")
def doublers():
    pools = [WorkerPool(jobs.nap_then_double, count=count) for count in (1, 2, 3)]
    yield pools
    for made in pools:
        made.close()


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        ("spin_in_python", TimedOut(CPU)),
        ("spin_in_c", TimedOut(CPU)),
        ("leave", Crashed("exited with status 3")),
        ("segfault", Crashed("killed by SIGSEGV")),
        ("raise_value_error", Raised("ValueError", "seven is not welcome")),
        ("exit_politely", Raised("SystemExit", "4")),
    ],
)
def test_each_way_to_fail_has_its_outcome_and_spares_the_neighbours(pool, job, expected):
    chunks_of_four = [f"ok:{number}" for number in range(32)]
    outcomes = list(pool.map([*chunks_of_four[:18], job, *chunks_of_four[18:]]))
    fine = [Done(2 * number) for number in range(32)]
    assert outcomes == [*fine[:18], expected, *fine[18:]]


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel keeps no RLIMIT_AS")
@pytest.mark.parametrize("job", ["eat_memory", "eat_memory_by_and_by"])
def test_a_memory_bomb_is_out_of_memory_and_spares_the_neighbours(job):
    with WorkerPool(jobs.misbehave, memory_bytes=MEMORY) as made:
        fine = [f"ok:{number}" for number in range(8)]
        outcomes = list(made.map([*fine, job, *fine]))
    doubled = [Done(2 * number) for number in range(8)]
    assert outcomes == [*doubled, OutOfMemory(MEMORY), *doubled]


def test_recursion_and_unpicklable_results_are_raised_not_crashes(pool):
    deep, odd = pool.map(["recurse", "return_what_cannot_be_pickled"])
    assert isinstance(deep, Raised)
    assert deep.type == "RecursionError"
    assert isinstance(odd, Raised)
    assert "pickle" in odd.message


def test_a_chunk_full_of_failures_loses_nothing(pool):
    bad = ["spin_in_c", "leave", "raise_value_error"]
    batch = [bad[i % 3] if i % 10 == 5 else f"ok:{i}" for i in range(100)]
    outcomes = list(pool.map(batch))
    for index, (job, outcome) in enumerate(zip(batch, outcomes, strict=True)):
        if job.startswith("ok:"):
            assert outcome == Done(2 * index)
        else:
            assert not isinstance(outcome, Done)
    assert outcomes.count(TimedOut(CPU)) == batch.count("spin_in_c")


@settings(max_examples=30, deadline=None)
@given(numbers=st.lists(st.integers(-(10**30), 10**30), max_size=60))
def test_order_and_values_do_not_depend_on_the_number_of_workers(doublers, numbers):
    expected = [Done(2 * number) for number in numbers]
    for made in doublers:
        assert list(made.map(numbers)) == expected


def test_a_crash_caused_by_the_neighbours_is_tried_again_alone():
    with WorkerPool(jobs.crash_unless_first, count=1) as made:
        batch = ["a", "b", "needs a clean process", "c", "needs a clean process"]
        assert list(made.map(batch)) == [Done(job) for job in batch]


def test_more_jobs_than_workers_use_no_more_processes_than_allowed():
    with WorkerPool(jobs.own_pid, count=2) as made:
        pids = {outcome.value for outcome in made.map(range(200))}
    assert 1 <= len(pids) <= 2
    assert os.getpid() not in pids


def test_the_wall_limit_ends_a_job_that_waits_for_ever_and_calls_it_a_crash():
    with WorkerPool(jobs.misbehave, cpu_seconds=CPU, wall_seconds=1.0) as made:
        asleep, fine = made.map(["sleep_for_ever", "ok:1"])
    assert asleep == Crashed("no result within the wall limit; killed")
    assert fine == Done(2)


def test_a_slow_reader_is_not_mistaken_for_a_slow_job():
    with WorkerPool(jobs.double, wall_seconds=0.5) as made:
        outcomes = []
        for outcome in made.map(range(64)):
            if len(outcomes) == 3:
                time.sleep(1.0)
            outcomes.append(outcome)
    assert outcomes == [Done(2 * number) for number in range(64)]


def test_waiting_on_a_busy_machine_costs_no_cpu_time(pool):
    """Stopped for longer than the CPU limit, the job still finishes: wall time is not counted."""
    with WorkerPool(jobs.nap_then_double, cpu_seconds=CPU) as made:
        assert list(made.map([1])) == [Done(2)]
        (worker,) = made._workers
        os.kill(worker.process.pid, signal.SIGSTOP)
        wake = threading.Timer(2 * CPU, os.kill, (worker.process.pid, signal.SIGCONT))
        wake.start()
        assert list(made.map([4])) == [Done(8)]


def test_leaving_a_map_early_kills_its_jobs_and_the_pool_goes_on():
    with WorkerPool(jobs.misbehave, count=2) as made:
        reader = made.map(["ok:1", "sleep_for_ever", "sleep_for_ever"])
        assert next(reader) == Done(2)
        reader.close()
        assert list(made.map(["ok:5"])) == [Done(10)]


def test_one_map_at_a_time():
    with WorkerPool(jobs.double) as made:
        reader = made.map([1, 2])
        next(reader)
        with pytest.raises(RuntimeError, match="already in a map"):
            next(made.map([3]))


def test_a_worker_lost_while_idle_is_replaced():
    with WorkerPool(jobs.double) as made:
        assert list(made.map([1])) == [Done(2)]
        (worker,) = made._workers
        worker.process.kill()
        worker.process.wait()
        assert list(made.map([2, 3])) == [Done(4), Done(6)]


def test_workers_of_a_finished_thread_are_replaced():
    """PR_SET_PDEATHSIG follows the thread; the pool survives it."""
    with WorkerPool(jobs.double) as made:
        thread = threading.Thread(target=lambda: list(made.map([1])))
        thread.start()
        thread.join()
        assert list(made.map([2])) == [Done(4)]


@pytest.mark.parametrize(
    ("initializer", "message"),
    [(jobs.fail_to_start, "no module named 'sympy'"), (jobs.die_at_start, "exited with status 7")],
)
def test_a_worker_that_cannot_start_stops_the_work(initializer, message):
    with (
        WorkerPool(jobs.double, initializer=initializer) as made,
        pytest.raises(StepFailed, match=message),
    ):
        list(made.map([1, 2, 3]))


def test_a_function_without_an_importable_name_is_refused():
    with pytest.raises(ValueError, match="top level of a module"):
        WorkerPool(lambda job: job)
    with pytest.raises(ValueError, match="at least 1"):
        WorkerPool(jobs.double, count=0)


def test_no_jobs_start_no_process():
    with WorkerPool(jobs.double, count=4) as made:
        assert list(made.map([])) == []
        assert made._workers == []


def test_workers_keep_their_hands_off_standard_output(capfd):
    with WorkerPool(jobs.print_something) as made:
        assert list(made.map([1])) == [Done(1)]
    assert capfd.readouterr().out == ""


def test_close_leaves_no_process():
    with WorkerPool(jobs.own_pid, count=2) as made:
        pids = {outcome.value for outcome in made.map(range(50))}
    assert not [pid for pid in pids if _alive(pid)]


USER_SCRIPT = f"""
import sys
sys.path.insert(0, {str(HERE)!r})
import jobs_for_workers as jobs
from potstill.pipeline.workers import WorkerPool
print("main runs")
with WorkerPool(jobs.double, count=2) as pool:
    print([outcome.value for outcome in pool.map(range(5))])
"""


@pytest.mark.parametrize("how", ["stdin", "-m", "-c", "file"])
def test_every_way_to_start_python_is_safe_without_a_main_guard(how, tmp_path):
    (tmp_path / "user_script.py").write_text(USER_SCRIPT, "utf-8")
    arguments = {
        "stdin": ["-"],
        "-m": ["-m", "user_script"],
        "-c": ["-c", USER_SCRIPT],
        "file": ["user_script.py"],
    }[how]
    done = subprocess.run(
        [sys.executable, *arguments],
        input=USER_SCRIPT if how == "stdin" else None,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout == "main runs\n[0, 2, 4, 6, 8]\n"


def test_a_function_of_the_main_script_is_refused_by_name():
    script = """
from potstill.pipeline.workers import WorkerPool
def local(job): return job
try: WorkerPool(local)
except ValueError as error: print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert "put it in a module" in done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux")
def test_kill_9_of_the_parent_leaves_no_worker_even_one_stuck_in_c(tmp_path):
    pids_file = tmp_path / "pids"
    script = f"""
import sys
sys.path.insert(0, {str(HERE)!r})
import jobs_for_workers as jobs
from potstill.pipeline.workers import WorkerPool
with WorkerPool(jobs.report_pid_and_hang, count=2) as pool:
    list(pool.map([{str(pids_file)!r}] * 2))
"""
    parent = subprocess.Popen([sys.executable, "-c", script])
    pids = _wait_for(lambda: _numbers(pids_file) if len(_numbers(pids_file)) == 2 else None)
    assert all(_alive(pid) for pid in pids)
    parent.kill()
    parent.wait()
    assert _wait_for(lambda: not any(_alive(pid) for pid in pids))


def _numbers(path: Path) -> list[int]:
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def _wait_for(condition, seconds: float = 60.0):
    """The first true value of `condition`; failing late only on a machine that has stopped."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.05)
    raise AssertionError("never became true")


def _alive(pid: int) -> bool:
    """Running, not merely a zombie that nobody has waited for yet."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"
