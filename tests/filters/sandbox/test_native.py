"""Compiled and other languages in the sandbox: honest programs work, hostile ones get nowhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from potstill.filters.sandbox.execution import (
    Call,
    Calls,
    Execution,
    Limits,
    Report,
    RunnerMissing,
    Script,
)
from potstill.filters.sandbox.local import LocalSandbox
from potstill.filters.sandbox.native import NativeSandbox
from potstill.filters.sandbox.remains import Remains
from potstill.filters.sandbox.runners import runner_for
from potstill.filters.sandbox.settings import Settings

HOSTILE = Path(__file__).with_name("hostile_native")
LIMITS = Limits(cpu_seconds=2, wall_seconds=10, memory_mb=256, output_kb=64)
LANGUAGES = ["c", "cpp", "java", "javascript", "rust"]

ADDING = {
    "c": '#include <stdio.h>\nint main(){int a,b;scanf("%d %d",&a,&b);printf("%d é\\n",a+b);}',
    "cpp": """
#include <bits/stdc++.h>
using namespace std;
int main() { vector<int> v(2); for (auto &x : v) cin >> x;
  cout << accumulate(begin(v), end(v), 0) << " é" << endl; }""",
    "java": """
import java.util.*;
class Helper { static int add(int a, int b) { return a + b; } }
public class Solution { public static void main(String[] args) {
  Scanner in = new Scanner(System.in);
  System.out.println(Helper.add(in.nextInt(), in.nextInt()) + " é"); } }""",
    "javascript": """
const [a, b] = require('fs').readFileSync(0, 'utf8').split(' ').map(Number);
console.log(a + b, 'é');""",
    "rust": """
use std::io::Read;
fn main() { let mut text = String::new(); std::io::stdin().read_to_string(&mut text).unwrap();
  let sum: i64 = text.split_whitespace().map(|x| x.parse::<i64>().unwrap()).sum();
  println!("{} é", sum); }""",
}
EXITING = {
    "c": "#include <stdlib.h>\nint main(){exit(3);}",
    "cpp": "#include <cstdlib>\nint main(){std::exit(3);}",
    "java": "class Main{public static void main(String[] a){System.exit(3);}}",
    "javascript": "process.exit(3)",
    "rust": "fn main(){std::process::exit(3)}",
}
LOOPING = {
    "c": "int main(){for(volatile int x;;)x++;}",
    "cpp": "int main(){for(volatile int x;;)x=1;}",
    "java": "class Main{public static void main(String[] a){while(true);}}",
    "javascript": "while(true);",
    "rust": "fn main(){loop{std::hint::black_box(1);}}",
}
FLOODING = {
    "c": '#include <stdio.h>\nint main(){for(;;)puts("flood");}',
    "cpp": '#include <iostream>\nint main(){for(;;)std::cout<<"flood\\n";}',
    "java": 'class Main{public static void main(String[] a){while(true)System.out.println("x");}}',
    "javascript": "const fs=require('fs');for(;;)fs.writeSync(1,'flood'.repeat(100))",
    "rust": 'fn main(){loop{println!("flood");}}',
}
HOARDING = {
    "c": "#include <stdlib.h>\n#include <string.h>\n"
    "int main(){for(int i=0;i<80;i++){char*p=malloc(50<<20);memset(p,i,50<<20);}return 0;}",
    "cpp": "#include <vector>\nint main(){std::vector<char> v(4LL<<30,1);return v[7];}",
    "java": "class Main{public static void main(String[] a){long[][] x=new long[99][];"
    "for(int i=0;i<99;i++)x[i]=new long[8<<20];System.out.println(x[9][9]);}}",
    "javascript": "let x=[];for(let i=0;i<80;i++)x.push(Buffer.alloc(50<<20,1));x.length",
    "rust": 'fn main(){let v=vec![1u8;4<<30];println!("{}",v[7]);}',
}


@pytest.fixture(scope="module")
def sandbox(bubblewrap: str) -> Iterator[LocalSandbox]:
    with LocalSandbox(Settings()) as opened:
        yield opened


def runner_or_skip(language: str) -> None:
    try:
        runner_for(language, "", 512)
    except RunnerMissing as missing:
        pytest.skip(str(missing))


def run(
    sandbox: LocalSandbox, language: str, code: str, stdin: str = "", limits: Limits = LIMITS
) -> Report:
    runner_or_skip(language)
    return sandbox.execute(Execution(code, Script(stdin), language, limits))


# Honest programs, and how programs end


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_honest_program_is_compiled_once_and_run_on_every_input(
    sandbox: LocalSandbox, language: str
) -> None:
    assert run(sandbox, language, ADDING[language], "1 2").stdout == "3 é\n".encode()
    started = time.monotonic()
    report = run(sandbox, language, ADDING[language], "20 22")
    assert report == Report("exit", 0, "42 é\n".encode(), b"")
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_exit_status_is_told(sandbox: LocalSandbox, language: str) -> None:
    assert run(sandbox, language, EXITING[language]) == Report("exit", 3)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_does_not_compile_is_the_programs_fault(sandbox: LocalSandbox, language: str) -> None:
    for _ in range(2):
        report = run(sandbox, language, "this is ( no program {")
        assert report.ending == "exit"
        assert report.code == 1
        assert b"error" in report.stderr.lower()
        assert len(report.stderr) <= LIMITS.output_kb << 10
        assert str(Path(__file__).parents[2]).encode() not in report.stderr


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_endless_loop_ends(sandbox: LocalSandbox, language: str) -> None:
    assert run(sandbox, language, LOOPING[language]).ending == "cpu"


@pytest.mark.parametrize("language", LANGUAGES)
def test_endless_output_ends(sandbox: LocalSandbox, language: str) -> None:
    report = run(sandbox, language, FLOODING[language])
    assert report.ending == "output"
    assert len(report.stdout) == LIMITS.output_kb << 10


@pytest.mark.parametrize("language", LANGUAGES)
def test_memory_is_bounded(sandbox: LocalSandbox, language: str) -> None:
    report = run(sandbox, language, HOARDING[language])
    assert (report.ending, report.code) != ("exit", 0)
    assert report.ending in ("exit", "signal", "memory")


def test_a_sleeper_ends(sandbox: LocalSandbox) -> None:
    limits = Limits(wall_seconds=1)
    assert run(sandbox, "c", "#include <unistd.h>\nint main(){pause();}", limits=limits) == Report(
        "wall"
    )


@pytest.mark.parametrize(
    "crash", ["*(volatile int*)0=1;", "__builtin_trap();", "abort();", "f(1);"]
)
def test_a_crash_is_a_signal(sandbox: LocalSandbox, crash: str) -> None:
    code = "#include <stdlib.h>\nint f(int n){volatile char b[999]={n};return f(n+1)+b[9];}"
    assert run(sandbox, "c", f"{code}\nint main(){{{crash}}}").ending == "signal"


def test_threads_and_deep_recursion_work(sandbox: LocalSandbox) -> None:
    code = """
#include <cstdio>
#include <thread>
int depth(int n) { volatile char b[400] = {1}; return n ? depth(n - 1) + b[0] : 0; }
int main() { int sum = 0; std::thread t([&] { sum = 1; }); t.join();
  printf("%d\\n", sum + depth(100000)); }"""
    assert run(sandbox, "cpp", code).stdout == b"100001\n"


# What cannot be run


def test_calls_are_for_python_alone(sandbox: LocalSandbox) -> None:
    with pytest.raises(RunnerMissing, match="whole programs"):
        sandbox.execute(Execution("", Calls("f", (Call(),)), "cpp"))


def test_tools_that_do_not_work_inside_judge_nobody(
    bubblewrap: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "node").symlink_to("/bin/false")
    monkeypatch.setenv("PATH", f"{tmp_path}:{Path(bubblewrap).parent}")
    with NativeSandbox(Settings()) as sandbox:
        for _ in range(2):
            with pytest.raises(RunnerMissing, match="javascript do not work in the sandbox"):
                sandbox.execute(Execution("console.log(1)", Script(), "javascript"))


# Hostile programs


@pytest.mark.parametrize(
    ("language", "file"), [("cpp", "refused.cpp"), ("javascript", "refused.js")]
)
def test_everything_outside_of_computing_is_refused(
    sandbox: LocalSandbox, language: str, file: str
) -> None:
    report = run(sandbox, language, (HOSTILE / file).read_text())
    lines = report.stdout.decode().splitlines()
    assert report.ending == "exit", report.stderr
    assert len(lines) > 20
    assert [line for line in lines if not line.startswith("refused ")] == []


@pytest.mark.parametrize(
    "include",
    [
        '#include "/etc/passwd"',
        '#include "/proc/self/environ"',
        "#include </etc/hostname>",
        'asm(".incbin \\"/etc/passwd\\"");',
        '#if !__has_include("/etc/passwd") && !__has_include("/proc/1/environ")\n#error\n#endif',
        '#include "/dev/zero"',
        '#include "/dev/urandom"',
        "#include __FILE__",
    ],
)
def test_a_compiler_finds_nothing_of_this_machine(sandbox: LocalSandbox, include: str) -> None:
    report = run(sandbox, "cpp", f"{include}\nint main() {{}}")
    assert (report.ending, report.code) != ("exit", 0)
    assert b"root:" not in report.stderr + report.stdout


@pytest.mark.parametrize(
    "bomb",
    [
        "template<int N> struct A { A<N+1> x; A<N-1> y; };\nA<0> a;\nint main() {}",
        "template<int D, int N> struct B { enum { v = B<D-1, 2*N>::v + B<D-1, 2*N+1>::v }; };\n"
        "template<int N> struct B<0, N> { enum { v = 1 }; };\nint main() { return B<25, 0>::v; }",
        "constexpr int f(long n) { int s = 0; for (long i = 0; i < n; i++) s += i; return s; }\n"
        "constexpr int x = f(1L << 40);\nint main() {}",
        "char big[1L << 33] = {1};\nint main() {}",
        "#define A(x) x x x x x x x x x x\n#define B(x) A(A(A(A(x))))\nint main() { B(B(B(1;))) }",
    ],
)
@pytest.mark.slow
def test_a_bomb_for_the_compiler_ends(sandbox: LocalSandbox, bomb: str) -> None:
    started = time.monotonic()
    report = run(sandbox, "cpp", bomb)
    assert (report.ending, report.code) != ("exit", 0)
    assert time.monotonic() - started < 70


def test_nothing_is_left_for_the_next_run_or_the_next_program(sandbox: LocalSandbox) -> None:
    code = """
#include <fstream>
#include <iostream>
#include <sys/stat.h>
int main() { std::cout << std::ifstream("/tmp/note").good() << "\\n";
  std::ofstream("/tmp/note") << "secret";
  std::ofstream("/tmp/program", std::ios::app) << "changed"; }"""
    for changed in (code, code, code + "\n"):
        assert run(sandbox, "cpp", changed).stdout == b"0\n"


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("java", f"public class {'𝔸' * 200} {{ }}"),
        ("javascript", "/" * (33 << 20)),
        ("c", "\0\udc80"),
    ],
)
def test_a_text_that_cannot_be_brought_in_is_the_programs_fault(
    sandbox: LocalSandbox, language: str, code: str
) -> None:
    report = run(sandbox, language, code)
    assert report.ending in ("exit", "signal", "cpu", "memory")
    assert (report.ending, report.code) != ("exit", 0)


def test_folders_without_end_are_thrown_away(sandbox: LocalSandbox) -> None:
    code = """
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
int main() { int n = 0; while (n < 5000 && !mkdir("d", 0700) && !chdir("d")) n++;
  printf("%d\\n", n); }"""
    for _ in range(2):
        assert run(sandbox, "c", code).stdout == b"5000\n"


def test_a_program_that_kills_everybody_kills_nobody(sandbox: LocalSandbox) -> None:
    code = """
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
int main() { raise(SIGKILL); raise(SIGSTOP); kill(-1, SIGKILL); kill(1, SIGKILL);
  kill(getppid(), SIGKILL); puts("alive"); }"""
    for _ in range(2):
        assert run(sandbox, "c", code) == Report("exit", 0, b"alive\n")


def test_no_process_is_left(bubblewrap: str) -> None:
    threads = """
const {Worker} = require('worker_threads');
for (let i = 0; i < 3; i++) new Worker('setInterval(() => {}, 1)', {eval: true});
process.on('SIGTERM', () => {});"""
    with Remains() as remains:
        with LocalSandbox(Settings()) as sandbox:
            report = run(sandbox, "javascript", threads, limits=Limits(wall_seconds=1))
            run(sandbox, "c", EXITING["c"])
            remains.look()
        assert remains.after() == []
    assert report.ending == "wall"


def test_an_isolation_of_its_own_for_every_run(bubblewrap: str) -> None:
    execution = Execution(EXITING["javascript"], Script(), "javascript")
    runner_or_skip("javascript")
    with NativeSandbox(Settings(mode="oneshot")) as sandbox:
        assert [sandbox.execute(execution, alone=alone).code for alone in (False, True)] == [3, 3]
        assert sandbox._isolation is None


def test_python_runs_beside_them(sandbox: LocalSandbox) -> None:
    assert run(sandbox, "javascript", "console.log(1)").stdout == b"1\n"
    report = sandbox.execute(Execution("print(input())", Script("2")))
    assert report.stdout == b"2\n"
