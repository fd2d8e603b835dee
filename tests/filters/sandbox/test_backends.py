"""Settings lead to one sandbox or to an error, and never to less isolation than they ask for."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from typing import Any

import pytest

from potstill.filters.sandbox import backends, unsafe
from potstill.filters.sandbox.backends import ACCEPTANCE, isolation_of, open_sandbox
from potstill.filters.sandbox.execution import (
    Asserts,
    Call,
    Calls,
    Execution,
    Limits,
    Report,
    RunnerMissing,
    Sandbox,
    SandboxFault,
    Script,
)
from potstill.filters.sandbox.local import LocalSandbox
from potstill.filters.sandbox.remote import RemoteSandbox
from potstill.filters.sandbox.settings import Settings
from potstill.filters.sandbox.unsafe import UnsafeProcesses
from potstill.filters.sandbox.warm import WarmSandbox
from potstill.pipeline.errors import RequestError

UNSAFE = Settings(unsafe_no_isolation=ACCEPTANCE)
REMOTE = Settings(backend="remote", remote_url="http://127.0.0.1:9")
SHORT = Limits(cpu_seconds=1, wall_seconds=1.5, memory_mb=256, output_kb=16)


@pytest.mark.parametrize(
    ("settings", "kind", "isolation"),
    [
        (Settings(), LocalSandbox, "bubblewrap"),
        (Settings(mode="oneshot"), LocalSandbox, "bubblewrap"),
        (REMOTE, RemoteSandbox, "remote"),
        (UNSAFE, UnsafeProcesses, "none"),
        (
            Settings("remote", remote_url="https://a.example", unsafe_no_isolation=ACCEPTANCE),
            RemoteSandbox,
            "none",
        ),
    ],
)
def test_settings_lead_to_one_sandbox(settings: Settings, kind: type, isolation: str) -> None:
    assert type(open_sandbox(settings)) is kind
    assert isolation_of(settings) == isolation


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings(backend="remote"), "remote_url is not set"),
        (Settings(remote_url="http://127.0.0.1:9"), "with backend 'bubblewrap'"),
        (Settings(remote_key_env="KEY"), "with backend 'bubblewrap'"),
        (Settings(unsafe_no_isolation="I accept"), "exactly this sentence: 'I accept that"),
        (Settings("remote", remote_url="http://a", unsafe_no_isolation="no"), "exactly this"),
    ],
)
def test_settings_that_cannot_be_followed(settings: Settings, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        open_sandbox(settings)


def test_other_systems_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends.platform, "system", lambda: "Darwin")
    for settings in (Settings(), UNSAFE):
        with pytest.raises(RequestError, match=r"on Linux only.*backend: remote"):
            open_sandbox(settings)
    assert isinstance(open_sandbox(REMOTE), RemoteSandbox)


def test_the_sentence_is_the_documented_one() -> None:
    """Manifests hold it, and a person must have written it out."""
    assert ACCEPTANCE == (
        "I accept that programs written by a model run with my rights, my files and my network."
    )


# Without isolation: the same reports on harmless programs as in the sandbox


@pytest.fixture
def bare() -> Sandbox:
    return open_sandbox(UNSAFE)


def values(report: Report) -> list[Any]:
    return [json.loads(line) for line in report.values.splitlines()]


DOUBLE = "def f(n, by=2):\n    print('seen', n)\n    return n * by\n"
TASKS = [
    (DOUBLE, Calls("f", (Call((2,)), Call(("ab",), {"by": 3}), Call(())))),
    ("class A:\n def f(self): return {1: (2.5, {3})}", Calls("A.f", (Call(),))),
    ("print(int(input()) + 1); raise SystemExit(3)", Script("41\n")),
    ("raise ValueError('x')", Script()),
    (DOUBLE, Asserts("f", "def check(candidate):\n    assert candidate(2) == 4")),
    ("import sys; sys.stdout.write('\\udc80')", Script()),
    ("def g(): pass", Calls("f", (Call(),))),
    ("print(sorted(map(str, __import__('os').environ)))", Script()),
    ("import os; os.kill(os.getpid(), 11)", Script()),
]


@pytest.mark.parametrize(("code", "task"), TASKS[:-1])
def test_reports_are_those_of_the_sandbox(
    bubblewrap: str, bare: Sandbox, code: str, task: Any
) -> None:
    execution = Execution(code, task, limits=Limits(memory_mb=512))
    with WarmSandbox(Settings()) as sandbox:
        assert bare.execute(execution) == sandbox.execute(execution)


@pytest.mark.parametrize(
    ("code", "ending"),
    [
        ("while True: pass", "cpu"),
        ("import time; time.sleep(60)", "wall"),
        ("print('x' * 100_000)", "output"),
        ("x = bytearray(1 << 30)", "memory"),
        ("import os; os.kill(os.getpid(), 11)", "signal"),
    ],
)
def test_limits_hold(bare: Sandbox, code: str, ending: str) -> None:
    limits = SHORT if ending == "wall" else replace(SHORT, wall_seconds=60.0)
    report = bare.execute(Execution(code, Script(), limits=limits))
    assert report.ending == ending
    assert len(report.stdout) <= SHORT.output_kb << 10


def test_processes_of_a_program_end_with_it(bare: Sandbox) -> None:
    code = (
        "import os, time\n"
        "child = os.fork()\n"
        "if child == 0:\n    os.close(1); os.close(2); os.close(3); time.sleep(60)\n"
        "print(child)"
    )
    child = int(bare.execute(Execution(code, Script())).stdout)
    deadline = time.monotonic() + 5
    while os.path.exists(f"/proc/{child}") and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not os.path.exists(f"/proc/{child}")


def test_a_program_that_closes_its_streams_and_stays(
    bare: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unsafe, "_LEAVING_SECONDS", 0.1)
    code = "import os, time\nfor each in (1, 2, 3): os.close(each)\ntime.sleep(60)"
    assert bare.execute(Execution(code, Script(), limits=SHORT)).ending == "wall"


def test_nothing_stays_open(bare: Sandbox) -> None:
    before = sorted(os.listdir("/proc/self/fd"))
    for _ in range(3):
        bare.execute(Execution("print(1)", Script()))
    assert sorted(os.listdir("/proc/self/fd")) == before


def test_what_cannot_be_run(bare: Sandbox) -> None:
    with pytest.raises(RunnerMissing, match="not cpp"):
        bare.execute(Execution("int main(){}", Script(), language="cpp"))
    broken = UnsafeProcesses(Settings(python="/nowhere/python"))
    with pytest.raises(SandboxFault, match="/nowhere/python could not be started"):
        broken.execute(Execution("", Script()))
