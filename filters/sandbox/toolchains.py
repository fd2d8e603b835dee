"""How a program in each language is compiled and run, and what that needs to see of this machine.

One function a language, each tried inside the sandbox. Compilers see headers, their helpers and
shared libraries; the program that they made sees shared libraries only. Nobody gets /proc: where a
tool would find its own folder through it, `LD_LIBRARY_PATH` or an option tells it. Places inside
are always the same, so no path of this machine stands in an error message.

Whether tools are installed is asked here; whether they work inside is found by `native.py`, which
has `hello` run before any program is judged.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal

from .execution import RunnerMissing
from .java_source import names_in

PROGRAM: Final = "/tmp/program"
"""Where what a compiler made is started from."""

Bound = tuple[tuple[str, str], ...]
"""(place here, place inside), all read-only."""

_UTF8: Final = ("LC_ALL", "C.UTF-8")
_PATH: Final = ("PATH", "/usr/bin")
_BINUTILS: Final = ("as", "ld", "ld.bfd")
"""The last for rustc, which would choose an lld that finds itself through /proc."""


@dataclass(frozen=True, slots=True)
class Step:
    """One command inside and what it has there beside shared libraries and an interpreter."""

    command: tuple[str, ...]
    source: str | None = None
    """The file that the program's text is written to."""
    result: str | None = None
    """The file or folder that a compiler makes."""
    bound: Bound = ()
    environment: tuple[tuple[str, str], ...] = (_UTF8,)
    memory_limit: Literal["RLIMIT_AS", "RLIMIT_DATA"] = "RLIMIT_AS"
    """RLIMIT_DATA for runtimes that reserve far more addresses than they use."""
    beside_mb: int = 0
    """What a runtime takes for itself, above the program's limit."""
    stack_mb: int = 64
    """Of the first thread, and of others unless the program says: deep recursion is common."""


@dataclass(frozen=True, slots=True)
class Runner:
    """A language on this machine."""

    compile: Step | None
    """None: the program's text is run as it is."""
    run: Step
    hello: str
    """A program that prints `hello`: if it does not, the tools do not work inside."""


def c(code: str, memory_mb: int) -> Runner:
    """C17 with GNU's extensions, optimised."""
    hello = '#include <stdio.h>\nint main(void) { puts("hello"); }'
    return _gcc("gcc", "c", ("-std=gnu17",), ("-lm",), hello)


def cpp(code: str, memory_mb: int) -> Runner:
    """C++20 with GNU's extensions, optimised."""
    hello = '#include <iostream>\nint main() { std::cout << "hello\\n"; }'
    return _gcc("g++", "cpp", ("-std=gnu++20",), (), hello)


def _gcc(
    compiler: str, suffix: str, options: tuple[str, ...], libraries: tuple[str, ...], hello: str
) -> Runner:
    source = f"{PROGRAM}.{suffix}"
    place = f"/usr/bin/{compiler}"
    compiling = Step(
        command=(place, *options, "-O2", "-w", source, "-o", PROGRAM, *libraries),
        source=source,
        result=PROGRAM,
        bound=((_tool(compiler, compiler), place), *_linking()),
        environment=(_UTF8, _PATH),
    )
    return Runner(compiling, Step((PROGRAM,)), hello)


def _linking() -> Bound:
    """Assembler, linker and headers; compilers proper are among the libraries."""
    tools = tuple((_tool(name, "binutils"), f"/usr/bin/{name}") for name in _BINUTILS)
    folders = ("/usr/include", "/usr/libexec/gcc")
    return (*tools, *((each, each) for each in folders if os.path.isdir(each)))


def javascript(code: str, memory_mb: int) -> Runner:
    """Node, with CommonJS modules."""
    source = f"{PROGRAM}.js"
    running = Step(
        command=("/usr/bin/node", f"--max-old-space-size={memory_mb}", source),
        source=source,
        bound=((_tool("node", "nodejs"), "/usr/bin/node"),),
        memory_limit="RLIMIT_DATA",
        beside_mb=192,
        stack_mb=8,
    )
    return Runner(None, running, "console.log('hello')")


def java(code: str, memory_mb: int) -> Runner:
    """The JDK's own version of Java; one file, started at the class that has `main`."""
    names = names_in(code)
    home = Path(_tool("javac", "default-jdk-headless")).parent.parent
    bound = ((str(home), "/java"), *_java_settings(home))
    environment = (_UTF8, ("LD_LIBRARY_PATH", "/java/lib:/java/lib/server"))
    machine = ("-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xms16m")
    source = f"/tmp/{names.file}.java"
    compiling = Step(
        command=(
            *("/java/bin/javac", *(f"-J{each}" for each in (*machine, "-Xmx512m"))),
            *("-nowarn", "-proc:none", "-encoding", "UTF-8", "-d", "/tmp/classes", source),
        ),
        source=source,
        result="/tmp/classes",
        bound=bound,
        environment=environment,
        memory_limit="RLIMIT_DATA",
        stack_mb=8,
    )
    running = Step(
        command=(
            *("/java/bin/java", *machine, f"-Xmx{memory_mb}m", "-Xss16m"),
            *("-Dfile.encoding=UTF-8", "-cp", PROGRAM, names.start),
        ),
        bound=bound,
        environment=environment,
        memory_limit="RLIMIT_DATA",
        beside_mb=192,
        stack_mb=8,
    )
    hello = 'class Main { public static void main(String[] a) { System.out.println("hello"); } }'
    return Runner(compiling, running, hello)


def _java_settings(home: Path) -> Bound:
    """Debian's JDK has its settings below /etc, behind links."""
    folder = Path(os.path.realpath(home / "conf" / "net.properties")).parent
    return () if folder.is_relative_to(home) else ((str(folder), str(folder)),)


def rust(code: str, memory_mb: int) -> Runner:
    """One crate of the 2021 edition, optimised, with the standard library only."""
    source = f"{PROGRAM}.rs"
    compiling = Step(
        command=(
            *("/rust/bin/rustc", "--sysroot=/rust", "--edition=2021", "-Copt-level=2"),
            *("-Clink-arg=-fuse-ld=bfd", "-Cdebuginfo=0", "-Awarnings"),
            *("--crate-name=program", source, "-o", PROGRAM),
        ),
        source=source,
        result=PROGRAM,
        bound=((_rust_root(), "/rust"), (_tool("cc", "gcc"), "/usr/bin/cc"), *_linking()),
        environment=(_UTF8, _PATH, ("LD_LIBRARY_PATH", "/rust/lib")),
    )
    return Runner(compiling, Step((PROGRAM,)), 'fn main() { println!("hello"); }')


@cache
def _rust_root() -> str:
    """The folder of the toolchain: `rustc` is often rustup, which chooses one."""
    _tool("rustc", "rustc")
    ask = ["rustc", "--print", "sysroot"]
    try:
        told = subprocess.run(ask, capture_output=True, check=True, text=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        raise RunnerMissing(f"rustc does not say where its toolchain is: {error}") from error
    root = told.stdout.strip()
    if not os.access(os.path.join(root, "bin", "rustc"), os.R_OK | os.X_OK):
        raise RunnerMissing("the Rust toolchain cannot be read by this user")
    return root


def _tool(name: str, package: str) -> str:
    """The real place of an executable.

    Raises:
        RunnerMissing: it is not installed.
    """
    found = shutil.which(name)
    if found is None:
        raise RunnerMissing(f"the program {name} is not installed (Debian package: {package})")
    return os.path.realpath(found)
