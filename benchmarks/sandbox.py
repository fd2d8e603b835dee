"""What running a program in the sandbox costs, beside running it without one.

    .venv/bin/python benchmarks/sandbox.py [PART …]

    programs  trivial programs/s: warm, alone, and plain `python -c`; median and 95th percentile
    workers   trivial programs/s of one and of two processes with a warm sandbox each
    judge     rows/s of the whole `code` filter, with one and two workers
    numpy     the same with numpy importable inside, and beside `python -c "import numpy"`
    memory    of one warm sandbox, shared pages counted once
    canaries  seconds that a judging step spends on them

Machines are noisy: the arms of a part take turns, and what counts is their ratio in one run.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from potstill.filters.sandbox.backends import open_sandbox
from potstill.filters.sandbox.canaries import self_test
from potstill.filters.sandbox.execution import Call, Calls, Execution, Sandbox
from potstill.filters.sandbox.settings import Settings

TRIVIAL = Execution("def f(x):\n    return x + 1\n", Calls("f", (Call((1,)),)))
WITH_NUMPY = Execution(
    "import numpy\ndef f(x):\n    return numpy.arange(x).sum()\n", Calls("f", (Call((10,)),))
)
PLAIN = "def f(x):\n    return x + 1\nprint(f(1))"
ROUNDS = 5
ROWS = 1000
LOOP_PROGRAMS = 450
"""Fewer than an isolation lives for: with it the account of its CPU time would be lost."""

Arm = Callable[[], None]


def in_sandbox(sandbox: Sandbox, execution: Execution = TRIVIAL) -> Arm:
    """Runs a program whose answer is known to come: a broken sandbox must not look fast."""

    def run() -> None:
        report = sandbox.execute(execution)
        if not report.values.endswith(b'["end", 1]\n'):
            raise SystemExit(f"the program did not run: {report}")

    return run


def plain(*options: str, code: str = PLAIN) -> Arm:
    """The same as a process of this interpreter, without a sandbox."""
    command = [sys.executable, *options, "-c", code]

    def run() -> None:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    return run


def in_turns(arms: dict[str, tuple[Arm, int]]) -> dict[str, list[float]]:
    """Seconds of each run of each arm, after one that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in arms}
    for arm, _ in arms.values():
        arm()
    for _ in range(ROUNDS):
        for name, (arm, runs) in arms.items():
            for _ in range(runs):
                began = time.perf_counter()
                arm()
                seconds[name].append(time.perf_counter() - began)
    return seconds


def show(seconds: dict[str, list[float]], base: str) -> None:
    """Rates by the mean, which holds what restarts cost; the ratio is to the arm `base`."""
    for name, taken in seconds.items():
        rate = 1 / statistics.mean(taken)
        ratio = statistics.mean(seconds[base]) / statistics.mean(taken)
        middle, high = statistics.median(taken), statistics.quantiles(taken, n=20)[-1]
        print(
            f"{name:24s} {rate:7.0f}/s  {ratio:5.2f} x {base}   median {middle * 1e3:6.2f} ms, "
            f"95% {high * 1e3:6.2f} ms"
        )


def programs() -> None:
    """One process of ours at a time."""
    with ExitStack() as stack:
        warm = stack.enter_context(open_sandbox(Settings()))
        alone = stack.enter_context(open_sandbox(Settings(mode="oneshot")))
        arms = {
            "plain python -c": (plain(), 20),
            "plain python -I -S -c": (plain("-I", "-S"), 20),
            "warm": (in_sandbox(warm), 400),
            "alone": (in_sandbox(alone), 10),
        }
        show(in_turns(arms), "plain python -c")


def workers() -> None:
    """Each runs its programs at the same time.

    CPU time is that of both sides, so it says what a core would do that had nothing else to do.
    """
    for _ in range(2):
        for count in (1, 2):
            command = [sys.executable, __file__, "--loop"]
            running = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(count)]
            told = [json.loads(process.communicate()[0]) for process in running]
            rate = sum(LOOP_PROGRAMS / seconds for seconds, _ in told)
            cpu = statistics.mean(cpu / LOOP_PROGRAMS for _, cpu in told)
            print(
                f"{count} warm sandbox(es): {rate:5.0f} programs/s; "
                f"{cpu * 1e3:.2f} ms of CPU time each, {1 / cpu:.0f} per CPU second"
            )


def loop() -> tuple[float, float]:
    """Seconds and CPU seconds that one warm sandbox takes for its trivial programs."""
    with open_sandbox(Settings()) as sandbox:
        run = in_sandbox(sandbox)
        run()
        began, used = time.perf_counter(), _cpu_seconds()
        for _ in range(LOOP_PROGRAMS):
            run()
        return time.perf_counter() - began, _cpu_seconds() - used


def _cpu_seconds() -> float:
    """Of this process and of all that descend from it, the dead ones included."""
    ticks = 0
    for process in [os.getpid(), *_descendants(os.getpid())]:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()
        ticks += sum(map(int, fields[11:15]))  # proc(5): utime, stime, cutime, cstime
    return ticks / os.sysconf("SC_CLK_TCK")


def judge() -> None:
    """Rows with one case each; extraction, comparison and messages between processes included."""
    from potstill.filters.code import Code
    from potstill.pipeline.filter import JudgeContext
    from potstill.pipeline.sample import new_sample

    case = {"args": [1], "expected": 2}
    key = json.dumps({"kind": "calls", "entry_point": "f", "cases": [case]})
    completion = f"<think>one more</think>\n```python\n{TRIVIAL.code}```"
    rows = [new_sample((), completion=completion, answer=key) for _ in range(ROWS)]
    for count in (1, 2):
        with Code().open(JudgeContext(workers=count)) as judging:
            judging.judge(rows[: 20 * count])
            began = time.perf_counter()
            verdicts = judging.judge(rows)
            seconds = time.perf_counter() - began
        passed = sum(verdict.reason == "pass" for verdict in verdicts)
        print(f"{count} worker(s): {ROWS / seconds:5.0f} rows/s, {passed} of {ROWS} pass")


def numpy() -> None:
    """Imported once before the forks, so that programs find it loaded."""
    with ExitStack() as stack:
        bare = stack.enter_context(open_sandbox(Settings()))
        loaded = stack.enter_context(open_sandbox(Settings(packages=("numpy",))))
        base = "plain, import numpy"
        code = "import numpy\nprint(numpy.arange(10).sum())"
        arms = {
            base: (plain(code=code), 5),
            "warm": (in_sandbox(bare), 200),
            "warm with numpy": (in_sandbox(loaded), 200),
            "warm, numpy used": (in_sandbox(loaded, WITH_NUMPY), 200),
        }
        show(in_turns(arms), base)


def memory() -> None:
    """Proportional set size: a page shared by n processes counts 1/n for each."""
    for packages in ((), ("numpy",)):
        with open_sandbox(Settings(packages=packages)) as sandbox:
            in_sandbox(sandbox)()
            sizes = [_proportional_kb(process) for process in _descendants(os.getpid())]
        names = ", ".join(packages) or "no packages"
        print(f"{names}: {sum(sizes) / 1024:.0f} MiB in {len(sizes)} processes")


def _descendants(parent: int) -> Iterator[int]:
    for threads in Path(f"/proc/{parent}/task").iterdir():
        for child in map(int, (threads / "children").read_text().split()):
            yield child
            yield from _descendants(child)


def _proportional_kb(process: int) -> int:
    text = Path(f"/proc/{process}/smaps_rollup").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))


def canaries() -> None:
    for settings in (Settings(), Settings(packages=("numpy",)), Settings(mode="oneshot")):
        seconds = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            tested = self_test(settings)
            seconds.append(time.perf_counter() - began)
        held = len(tested.findings) - len(tested.faults)
        name = f"{settings.mode} {' '.join(settings.packages)}".strip()
        median = statistics.median(seconds)
        print(f"{name}: {held} of {len(tested.findings)} held, median {median:.2f} s")


def main() -> int:
    """Run the parts asked for, or all."""
    parts = {part.__name__: part for part in (programs, workers, judge, numpy, memory, canaries)}
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(parts))
    parser.add_argument("--loop", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.loop:
        print(json.dumps(loop()))
        return 0
    if unknown := [part for part in asked.parts if part not in parts]:
        parser.error(f"no part {unknown[0]!r}; expected {', '.join(parts)}")
    for part in asked.parts or parts:
        print(f"== {part}", flush=True)
        parts[part]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
