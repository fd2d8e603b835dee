"""The remote backend against a local stand-in that really runs programs, and that misbehaves."""

from __future__ import annotations

import json
import os
import time
from typing import Any

import pytest
from code_server import CodeServer, code_server

from potstill.filters.sandbox import remote
from potstill.filters.sandbox.execution import (
    Asserts,
    Call,
    Calls,
    Execution,
    Limits,
    Report,
    RunnerMissing,
    SandboxFault,
    Script,
    Task,
)
from potstill.filters.sandbox.remote import RemoteSandbox
from potstill.pipeline.errors import RequestError

ADD = "def add(a, b):\n    return a + b\n"
SAID_HELLO = {"status": "Finished", "return_code": 0, "stdout": "hello\n", "stderr": ""}


def run(code: str, task: Task, *, language: str = "python", limits: Limits | None = None) -> Report:
    with code_server() as server, RemoteSandbox(server.url) as sandbox:
        return sandbox.execute(Execution(code, task, language, limits or Limits(wall_seconds=10)))


def ask(*faults: str) -> tuple[Report | str, CodeServer]:
    """One honest script sent to a server that begins with these faults: a report or the fault."""
    with code_server(*faults) as server, RemoteSandbox(server.url) as sandbox:
        try:
            return sandbox.execute(Execution("print('hello')", Script())), server
        except SandboxFault as fault:
            return str(fault), server


def events(report: Report) -> list[list[Any]]:
    return [json.loads(line) for line in report.values.splitlines()]


# What is run


def test_calls_bring_their_values_and_nothing_else() -> None:
    code = f"print('noise')\n{ADD}"
    report = run(code, Calls("add", (Call((1, 2)), Call(("a",), {"b": "é😀"}), Call((1, "x")))))
    assert report.ending == "exit"
    assert report.code == 0
    assert report.stdout == b""
    assert b"noise" in report.stderr
    assert events(report) == [
        [0, "value", 3],
        [1, "value", "aé😀"],
        [2, "raised", "TypeError"],
        ["end", 3],
    ]


def test_asserts_run_beside_the_program() -> None:
    check = "def check(candidate):\n    assert candidate(2, 3) == 5\n"
    assert events(run(ADD, Asserts("add", check))) == [[0, "value", True], ["end", 1]]
    wrong = ADD.replace("+", "-")
    assert events(run(wrong, Asserts("add", check))) == [
        [0, "raised", "AssertionError"],
        ["end", 1],
    ]


def test_a_script_reads_its_input_and_prints() -> None:
    code = "import sys\nprint(int(input()) * 2, __name__)\nprint('bad', file=sys.stderr)"
    report = run(code, Script("21\n"))
    assert report == Report("exit", 0, b"42 __main__\n", b"bad\n")


@pytest.mark.parametrize(
    ("code", "ending", "number"),
    [
        ("import sys; sys.exit(3)", "exit", 3),
        ("1/0", "exit", 1),
        ("def broken(", "exit", 1),
        ("import os; os.abort()", "signal", 6),
        ("x = bytearray(8 << 30)", "memory", 0),
        ("while True: pass", "cpu", 0),
        ("import time; time.sleep(60)", "wall", 0),
        ("print('x' * (3 << 20))", "output", 0),
        ("import sys; sys.stderr.write('x' * (3 << 20))", "output", 0),
    ],
)
def test_every_ending_is_told(code: str, ending: str, number: int) -> None:
    wall = 3 if ending == "wall" else 60  # a busy machine may give a second of processor time late
    limits = Limits(cpu_seconds=1, wall_seconds=wall, memory_mb=512, output_kb=2048)
    report = run(code, Script(), limits=limits)
    assert (report.ending, report.code) == (ending, number)


def test_values_are_cut_at_the_limit() -> None:
    report = run("def f(): return 'x' * 100_000", Calls("f", (Call(),)), limits=Limits(output_kb=1))
    assert report.ending == "output"
    assert len(report.values) == 1024


def test_a_program_sees_neither_the_servers_environment_nor_a_random_hash_seed() -> None:
    code = "import os\ndef f():\n    return [len(os.environ), hash('seed')]"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POTSTILL_SECRET", "token")
        first, second = (events(run(code, Calls("f", (Call(),)))) for _ in range(2))
    assert first == second
    assert first[0][2][0] == 0


def test_expected_values_and_the_key_are_in_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUDGE_KEY", "very-secret")
    with code_server() as server, RemoteSandbox(server.url, "JUDGE_KEY") as sandbox:
        sandbox.execute(Execution(ADD, Calls("add", (Call((1, 2)),))))
        assert server.keys == {"Bearer very-secret"}
        (request,) = server.requests
    assert "very-secret" not in json.dumps(request)
    assert set(request) == {
        *("code", "language", "stdin", "compile_timeout", "run_timeout", "memory_limit_MB")
    }


def test_cpp_is_compiled_there() -> None:
    good = '#include <iostream>\nint main(){int a,b;std::cin>>a>>b;std::cout<<a+b<<"\\n";}'
    assert run(good, Script("1 2"), language="cpp") == Report("exit", 0, b"3\n", b"")
    broken = run("int main( {", Script(), language="cpp")
    assert (broken.ending, broken.code) == ("exit", 1)
    assert b"error" in broken.stderr


def test_signals_that_a_shell_reports_are_signals() -> None:
    report = run("kill -KILL $$", Script(), language="bash")
    assert (report.ending, report.code) == ("signal", 9)
    reported = run("exit 137", Script(), language="bash")
    assert (reported.ending, reported.code) == ("signal", 9)


@pytest.mark.parametrize(
    ("language", "task"), [("c", Script()), ("klingon", Script()), ("cpp", Calls("f", (Call(),)))]
)
def test_what_cannot_be_run_there_is_missing(language: str, task: Task) -> None:
    with pytest.raises(RunnerMissing, match=language):
        run("", task, language=language)


# A server that misbehaves


@pytest.mark.parametrize(
    "faults", [("429",), ("500", "503"), ("wait",), ("reset",), ("502", "reset", "504", "429")]
)
def test_what_passes_is_sat_out(faults: tuple[str, ...]) -> None:
    report, server = ask(*faults)
    assert isinstance(report, Report)
    assert report.stdout == b"hello\n"
    assert len(server.requests) == len(faults) + 1


def test_a_server_is_given_the_time_it_asks_for() -> None:
    _, server = ask("wait")
    assert server.arrivals[1] - server.arrivals[0] >= 0.4


def test_attempts_are_bounded() -> None:
    told, server = ask(*["500"] * 20)
    assert len(server.requests) == 5
    assert "HTTP 500" in str(told)
    assert "5 times" in str(told)


def _answer(**changed: Any) -> str:
    answer = {
        "status": "Success",
        "message": "",
        "compile_result": None,
        "run_result": SAID_HELLO,
    }
    return json.dumps(answer | changed)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("400", "HTTP 400"),
        ("422", "HTTP 422"),
        ("redirect", "HTTP 302"),
        ("truncated", "body"),
        ("gigantic", "more than"),
        ("<html>hello</html>", "body"),
        ("[]", "body"),
        ("null", "body"),
        ("[" * 100_000, "body"),
        ('{"status": "Success"}', "message"),
        (_answer(status="Weird"), "status"),
        (_answer(message=None), "message"),
        (_answer(run_result=None), "run_result"),
        (_answer(run_result="hello"), "run_result"),
        (_answer(run_result=SAID_HELLO | {"return_code": "0"}), "return_code"),
        (_answer(run_result=SAID_HELLO | {"return_code": None}), "return_code"),
        (_answer(run_result=SAID_HELLO | {"return_code": 10**400}), "return_code"),
        (_answer(run_result=SAID_HELLO | {"stdout": ["hello"]}), "stdout"),
        (_answer(run_result=SAID_HELLO | {"stdout": "\ud800"}), "body"),
        (_answer(run_result=SAID_HELLO | {"status": "Error"}), "Error"),
        (_answer(compile_result=SAID_HELLO | {"return_code": 1}), "not compiled"),
        (_answer(status="SandboxError", message="no cgroup"), "no cgroup"),
    ],
)
def test_what_is_no_answer_is_the_sandboxes_fault(fault: str, told: str) -> None:
    fault_told, server = ask(fault)
    assert isinstance(fault_told, str)
    assert told in fault_told
    assert len(server.requests) == 1
    assert len(fault_told) < 400


def test_a_slow_drip_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "QUEUE_SECONDS", 0.5)
    started = time.monotonic()
    with (
        code_server("drip") as server,
        RemoteSandbox(server.url) as sandbox,
        pytest.raises(SandboxFault, match="in time"),
    ):
        sandbox.execute(Execution("", Script(), limits=Limits(wall_seconds=0.5)))
    assert time.monotonic() - started < 5


def test_a_server_that_is_not_there() -> None:
    with code_server() as server:
        url = server.url
    with pytest.raises(SandboxFault, match="ConnectionRefusedError, 5 times"):
        RemoteSandbox(url).execute(Execution("", Script()))


def test_a_key_that_a_server_repeats_is_cut_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUDGE_KEY", "very-secret")
    with (
        code_server("403") as server,
        RemoteSandbox(server.url, "JUDGE_KEY") as sandbox,
        pytest.raises(SandboxFault) as fault,
    ):
        sandbox.execute(Execution("", Script()))
    assert "very-secret" not in str(fault.value)
    assert "***" in str(fault.value)


# What a recipe may say


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://host", "host:8080", "", "http://", "file:///etc/passwd", "http://host:port"),
        *("http://user:pw@host", "http://host?key=1", "http://[", "http://host:0"),
    ],
)
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(RequestError, match="remote_url"):
        RemoteSandbox(url)


@pytest.mark.parametrize("value", [None, "", "two\nlines", "schlüssel"])
def test_a_key_must_be_there_and_is_never_shown(
    value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JUDGE_KEY", raising=False)
    if value is not None:
        monkeypatch.setitem(os.environ, "JUDGE_KEY", value)
    with pytest.raises(RequestError, match="JUDGE_KEY") as error:
        RemoteSandbox("http://host", "JUDGE_KEY")
    assert not value or value not in str(error.value)


def test_a_key_in_place_of_a_name_is_refused_without_repeating_it() -> None:
    with pytest.raises(RequestError, match="never a key") as error:
        RemoteSandbox("http://host", "sk-12345678")
    assert "12345678" not in str(error.value)
