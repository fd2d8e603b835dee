"""Programs in a warm sandbox: how each way of ending is told, and that nothing stays behind."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from potstill.filters.sandbox import warm
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
from potstill.filters.sandbox.settings import Settings
from potstill.filters.sandbox.warm import WarmSandbox

QUICK = Limits(cpu_seconds=1, wall_seconds=3.0, output_kb=16)


@pytest.fixture(scope="module")
def sandbox(bubblewrap: str) -> Iterator[WarmSandbox]:
    with WarmSandbox(Settings()) as made:
        yield made


def run(sandbox: WarmSandbox, code: str, task: Task | None = None, **more: Any) -> Report:
    return sandbox.execute(Execution(code, task or Script(), limits=QUICK), **more)


def events(report: Report) -> list[Any]:
    return [json.loads(line) for line in report.values.splitlines()]


ENDINGS = {
    "through": ("print('a')", "exit", 0, b"a\n"),
    "exit status": ("import sys; sys.exit(3)", "exit", 3, b""),
    "exit text": ("raise SystemExit('why')", "exit", 1, b""),
    "exit by force": ("import os; os._exit(4)", "exit", 4, b""),
    "error": ("print(1); 1 / 0", "exit", 1, b"1\n"),
    "at exit": ("import atexit; atexit.register(print, 'late')", "exit", 0, b"late\n"),
    "thread": (
        "import threading, time\n"
        "threading.Thread(target=lambda: (time.sleep(.1), print('done'))).start()",
        "exit",
        0,
        b"done\n",
    ),
    "busy": ("while True: pass", "cpu", 0, b""),
    "asleep": ("import time; time.sleep(60)", "wall", 0, b""),
    "chatty": ("while True: print('x' * 1000)", "output", 0, b"x" * 1000),
    "greedy": ("held = bytearray(1 << 33)", "memory", 0, b""),
    "caught greed": ("held = []\nwhile True: held.append(bytearray(1 << 24))", "memory", 0, b""),
    "aborts": ("import os; os.abort()", "signal", None, b""),
    "silent but alive": (
        "import os, time\nfor fd in range(4): os.close(fd)\ntime.sleep(60)",
        "wall",
        0,
        b"",
    ),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_how_a_script_ends(sandbox: WarmSandbox, name: str) -> None:
    code, ending, status, printed = ENDINGS[name]
    report = run(sandbox, code)
    assert report.ending == ending, report
    assert status is None or report.code == status
    assert report.stdout.startswith(printed)
    assert len(report.stdout) <= QUICK.output_kb << 10
    assert report.values == b""


READERS = {
    "print(input(), input())": "a 四\n",
    "import sys; print(sys.stdin.readline() + sys.stdin.read())": "a\n四\nb\n\n",
    "import sys; print([line.strip() for line in sys.stdin])": "['a', '四', 'b']\n",
    "import sys; print(sys.stdin.buffer.read().decode().split())": "['a', '四', 'b']\n",
    "print(open(0, encoding='utf-8').read().split())": "['a', '四', 'b']\n",
    "import os; print(os.read(0, 2))": "b'a\\n'\n",
    "import fileinput; print(len(list(fileinput.input())))": "3\n",
    "import sys; print(__name__, sys.argv)": "__main__ ['program.py']\n",
}


@pytest.mark.parametrize("code", READERS)
def test_a_script_reads_its_input_in_every_way(sandbox: WarmSandbox, code: str) -> None:
    report = run(sandbox, code, Script("a\n四\nb\n"))
    assert (report.stdout.decode(), report.stderr) == (READERS[code], b"")


def test_what_calls_return_comes_out_by_type(sandbox: WarmSandbox) -> None:
    code = (
        "def f(x, y=0):\n    print('noise')\n"
        "    return [x, (y, 2.5), {1: {True}}, None, b'a', 2**70]"
    )
    report = run(sandbox, code, Calls("f", (Call((3,)), Call(({"tuple": [1]},), {"y": "b"}))))
    tail = [{"dict": [[1, {"set": [True]}]]}, None, {"bytes": "61"}, {"int": hex(2**70)}]
    half = {"float": (2.5).hex()}
    assert events(report) == [
        [0, "value", [3, {"tuple": [0, half]}, *tail]],
        [1, "value", [{"tuple": [1]}, {"tuple": ["b", half]}, *tail]],
        ["end", 2],
    ]


SETUPS = {
    "syntax": ("def f(:", ["setup", "raised", "SyntaxError"]),
    "null byte": ("a = 1\0", ["setup", "raised", "ValueError"]),
    "surrogate": ("a = '\ud800'", ["setup", "raised", "UnicodeEncodeError"]),
    "leaves": ("import sys; sys.exit(0)", ["setup", "raised", "SystemExit"]),
    "missing": ("def g(): pass", ["setup", "missing", "f"]),
    "no function": ("f = 3", ["setup", "missing", "f"]),
}


@pytest.mark.parametrize("name", SETUPS)
def test_a_program_that_cannot_be_called(sandbox: WarmSandbox, name: str) -> None:
    code, want = SETUPS[name]
    assert events(run(sandbox, code, Calls("f", (Call(),)))) in (
        [want],
        [["setup", "raised", "SyntaxError"]],  # how Python 3.12 and later refuse a null byte
    )


def test_calls_go_on_after_one_that_raised(sandbox: WarmSandbox) -> None:
    code = "def f(x):\n    if x == 1: raise KeyError(x)\n    if x == 2: exit()\n    return x"
    code = "from sys import exit\n" + code
    report = run(sandbox, code, Calls("f", tuple(Call((x,)) for x in range(4))))
    assert events(report) == [
        [0, "value", 0],
        [1, "raised", "KeyError"],
        [2, "raised", "SystemExit"],
        [3, "value", 3],
        ["end", 4],
    ]


def test_a_method_gets_a_new_object_each_time(sandbox: WarmSandbox) -> None:
    code = "class S:\n    n = 0\n    def f(self):\n        self.n += 1\n        return self.n"
    report = run(sandbox, code, Calls("S.f", (Call(), Call())))
    assert events(report) == [[0, "value", 1], [1, "value", 1], ["end", 2]]
    assert events(run(sandbox, code, Calls("S.g", (Call(),)))) == [["setup", "missing", "S.g"]]


def test_asserts_run_beside_the_program(sandbox: WarmSandbox) -> None:
    check = "def check(candidate):\n    assert candidate(2) == 4"
    right = run(sandbox, "def f(x): return x * x", Asserts("f", check))
    wrong = run(sandbox, "def f(x): return x + 3", Asserts("f", check))
    plain = run(sandbox, "def f(x): return x + 2", Asserts("f", "assert f(2) == 4"))
    assert events(right) == events(plain) == [[0, "value", True], ["end", 1]]
    assert events(wrong) == [[0, "raised", "AssertionError"], ["end", 1]]


WIRES: dict[str, Any] = {
    "import collections\ndef f(): return collections.Counter('aab')": {
        "dict": [["a", 2], ["b", 1]]
    },
    "from collections import namedtuple\ndef f(): return namedtuple('P', 'x y')(1, 2)": {
        "tuple": [1, 2]
    },
    "class I(int):\n    __eq__ = lambda *_: 1\n    __int__ = lambda _: 9\ndef f(): return I(3)": 3,
    "class S(str):\n    __str__ = lambda _: 'lie'\ndef f(): return S('truth')": "truth",
    "class L(list):\n    __iter__ = lambda _: iter('lie')\ndef f(): return L([1])": [1],
    "class E:\n    __eq__ = lambda *_: True\ndef f(): return E()": {"other": "E"},
    "def f():\n    a = []\n    a.append(a)\n    return a": None,
    "def f(): return (x for x in [1])": {"other": "generator"},
    "def f(): return float('nan')": {"float": "nan"},
    "def f(): return 1 - 2j": {"complex": ["0x1.0000000000000p+0", "-0x1.0000000000000p+1"]},
}


@pytest.mark.parametrize("code", WIRES)
def test_only_the_value_of_the_base_type_counts(sandbox: WarmSandbox, code: str) -> None:
    told = events(run(sandbox, code, Calls("f", (Call(),))))
    if WIRES[code] is None:
        assert '{"other": "nested too deeply"}' in json.dumps(told)
    else:
        assert told == [[0, "value", WIRES[code]], ["end", 1]]


def test_numpy_is_there_when_it_is_asked_for(bubblewrap: str, sandbox: WarmSandbox) -> None:
    pytest.importorskip("numpy")
    code = "import numpy as np\ndef f(n): return [np.eye(n).sum(), np.arange(n), np.int64(n)]"
    without = events(run(sandbox, code, Calls("f", (Call((2,)),))))
    assert without == [["setup", "raised", "ModuleNotFoundError"]]
    with WarmSandbox(Settings(packages=("numpy",))) as other:
        told = events(run(other, code, Calls("f", (Call((2,)),))))
    assert told == [[0, "value", [{"float": (2.0).hex()}, [0, 1], 2]], ["end", 1]]


def test_an_isolation_is_renewed_after_so_many_programs(
    sandbox: WarmSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number of a process tells which isolation it is in: they begin anew in each."""
    monkeypatch.setattr(warm, "PROGRAMS", 3)
    sandbox.close()
    numbers = [int(run(sandbox, "import os; print(os.getpid())").stdout) for _ in range(7)]
    assert numbers[0:3] == numbers[3:6]
    assert numbers[0] == numbers[6] < numbers[1] < numbers[2]


@pytest.mark.parametrize("code", ["while True: pass", "import os; os.mkdir('/tmp/left')"])
def test_an_isolation_is_renewed_after_a_violation(sandbox: WarmSandbox, code: str) -> None:
    sandbox.close()
    number = run(sandbox, "import os; print(os.getpid())").stdout
    run(sandbox, code)
    assert run(sandbox, "import os; print(os.getpid(), os.listdir('/tmp'))").stdout == (
        number.strip() + b" []\n"
    )


def test_alone_is_an_isolation_of_its_own(sandbox: WarmSandbox) -> None:
    sandbox.close()
    first = [run(sandbox, "import os; print(os.getpid())", alone=True).stdout for _ in range(2)]
    assert first[0] == first[1]


def test_a_sandbox_that_died_says_so_and_the_next_program_runs(bubblewrap: str) -> None:
    with WarmSandbox(Settings()) as sandbox:
        run(sandbox, "pass")
        isolation = sandbox._isolation
        assert isolation is not None
        isolation._process.kill()
        isolation._process.wait()
        with pytest.raises(SandboxFault):
            run(sandbox, "pass")
        assert run(sandbox, "print(1)").stdout == b"1\n"


def test_other_languages_are_not_for_this_one(sandbox: WarmSandbox) -> None:
    with pytest.raises(RunnerMissing, match="rust"):
        sandbox.execute(Execution("fn main() {}", Script(), language="rust"))


def test_nothing_is_left_after_it_closed(bubblewrap: str) -> None:
    before = set(os.listdir("/proc/self/fd"))
    for code in ("pass", "while True: pass"):
        with WarmSandbox(Settings()) as sandbox:
            run(sandbox, "pass")
            isolation = sandbox._isolation
            assert isolation is not None
            folders = list(isolation._groups.folders.values())
            number = isolation._process.pid
            run(sandbox, code)
        assert not os.path.exists(f"/proc/{number}")
        time.sleep(0.05)
        assert not [folder for folder in folders if folder.exists()]
    assert set(os.listdir("/proc/self/fd")) == before
