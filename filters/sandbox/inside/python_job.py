"""A child that runs one Python program: as a script, called with arguments, or with its asserts.

`main` is the first process inside (`zygote.py`): it loads what programs import most, so that its
children need not. `run` does a job in any process that is isolated and limited already; sandboxes
of others call it as well. What goes out on the values channel is defined in `../execution.py`.
"""

from __future__ import annotations

import _sitebuiltins
import atexit
import builtins
import io
import json
import os
import random
import sys
import threading
import traceback
import types
from collections.abc import Callable
from typing import Any, NoReturn

from .wires import name_of, unwire, wire
from .zygote import READY, VALUES, Install, limit, serve, taken

MEMORY_EXIT = 86
"""Exit status of a program that ran out of memory."""

_MODULES = (
    "bisect collections copy dataclasses functools heapq itertools math operator re string time "
    "typing"
)
"""What programs import most, loaded once before the forks; each makes every fork dearer."""

Entry = Callable[[], Callable[..., Any]]
"""Gives the function to call."""


def main(packages: list[str]) -> None:
    """Serve programs, which may import these packages beside the standard library."""

    def prepare() -> None:
        seeded = ["numpy.random"] if "numpy" in packages else []  # by `run`; numpy itself waits
        for name in [*_MODULES.split(), *packages, *seeded]:
            __import__(name)
        for name in ("exit", "quit"):  # as `site` does, which does not run here
            setattr(builtins, name, _sitebuiltins.Quitter(name, "Ctrl-D (i.e. EOF)"))
        new_streams()

    serve(_be_a_child, prepare)


def _be_a_child(
    descriptors: list[int], install: Install, leave: Callable[[int], NoReturn] = os._exit
) -> None:
    """Become the process of one program. Never returns."""
    status = 1
    try:
        job = taken(descriptors)
        mebibyte = 1 << 20
        limits = {
            "RLIMIT_AS": job["limits"]["memory_mb"] * mebibyte,
            "RLIMIT_FSIZE": 16 * mebibyte,
            "RLIMIT_NOFILE": 64,
        }
        limit(job["limits"]["cpu_seconds"], limits)
        install()
        os.write(VALUES, READY)
        status = run(job)
    except MemoryError:
        status = MEMORY_EXIT
    finally:
        leave(status)


def new_streams() -> None:
    """Text streams as a new interpreter has them; nothing is read or written before the fork."""
    sys.stdin = _stream(0, "r")
    sys.stdout = _stream(1, "w")
    sys.stderr = _stream(2, "w", "backslashreplace")
    vars(sys).update(__stdin__=sys.stdin, __stdout__=sys.stdout, __stderr__=sys.stderr)


def _stream(descriptor: int, mode: str, errors: str = "strict") -> io.TextIOWrapper:
    raw: Any = io.FileIO(descriptor, mode, closefd=False)
    raw.name = ("<stdin>", "<stdout>", "<stderr>")[descriptor]
    buffer = io.BufferedReader(raw) if mode == "r" else io.BufferedWriter(raw)
    by_line = descriptor == 2
    stream: Any = io.TextIOWrapper(buffer, "utf-8", errors, newline="\n", line_buffering=by_line)
    stream.mode = mode
    return stream  # type: ignore[no-any-return]


def run(job: dict[str, Any]) -> int:
    """Do a job; returns the exit status."""
    random.seed(0)  # the same program should get the same verdict twice
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(0)
    sys.argv = ["program.py"]
    code, task = job["code"], job["task"]
    if task["kind"] == "script":
        return _run_script(code)
    status = _run_calls(code, task)
    _flush()
    return status


def _run_script(code: str) -> int:
    """The program as `__main__`, to the end that the interpreter itself would make."""
    module = _new_module("__main__")
    try:
        try:
            exec(_compiled(code, "program.py"), module.__dict__)
        finally:
            vars(threading)["_shutdown"]()  # waits for the threads that are no daemons
            atexit._run_exitfuncs()
    except SystemExit as leaving:
        return _flush() or _exit_status(leaving.code)
    except MemoryError:
        return MEMORY_EXIT
    except BaseException:
        _print_exception()
        return _flush() or 1
    return _flush()


def _print_exception() -> None:
    """Like the interpreter, with the program's own frames only: others tell where files lie."""
    caught: Any = sys.exc_info()
    told = _shortened(traceback.TracebackException(*caught))
    sys.stderr.write("".join(told.format()))


def _shortened(told: Any) -> Any:
    """Without the frames of other files, in what led to it too."""
    waiting = [told]
    while waiting:
        each = waiting.pop()
        frames = [frame for frame in each.stack if frame.filename == "program.py"]
        each.stack = traceback.StackSummary.from_list(frames)
        others = [each.__cause__, each.__context__, *(getattr(each, "exceptions", None) or ())]
        waiting += [other for other in others if other is not None]
    return told


def _compiled(code: str, name: str) -> types.CodeType:
    """A program as code, without the `__future__` of this file."""
    return compile(code, name, "exec", dont_inherit=True)


def _exit_status(code: object) -> int:
    """What `sys.exit(code)` makes of it."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    sys.stderr.write(f"{code}\n")
    return 1


def _run_calls(code: str, task: dict[str, Any]) -> int:
    """Load the program, then call it; a value or the name of an exception for each call."""
    module = _new_module("program")
    try:
        exec(_compiled(code, "program.py"), module.__dict__)
    except BaseException as error:
        return _tell(["setup", "raised", name_of(type(error))])
    entry = _entry_point(module, task["entry_point"])
    if entry is None:
        return _tell(["setup", "missing", task["entry_point"]])
    calls = [_check(module, entry, task)] if task["kind"] == "asserts" else _calls(entry, task)
    for number, call in enumerate(calls):
        try:
            event = [number, "value", wire(call())]
        except BaseException as error:
            event = [number, "raised", name_of(type(error))]
        _tell(event)
    return _tell(["end", len(calls)])


def _calls(entry: Entry, task: dict[str, Any]) -> list[Callable[[], Any]]:
    """A function without arguments for each call."""

    def bound(call: dict[str, Any]) -> Callable[[], Any]:
        args = [unwire(each) for each in call["args"]]
        kwargs = {name: unwire(each) for name, each in call["kwargs"].items()}
        return lambda: entry()(*args, **kwargs)

    return [bound(call) for call in task["calls"]]


def _check(module: types.ModuleType, entry: Entry, task: dict[str, Any]) -> Callable[[], bool]:
    """The asserts of a key, beside the program, as HumanEval runs them."""

    def check() -> bool:
        names = dict(module.__dict__)
        exec(_compiled(task["check"], "check.py"), names)
        if names.get("check") is not module.__dict__.get("check"):  # the key's, not the program's
            names["check"](entry())
        return True

    return check


def _entry_point(module: types.ModuleType, name: str) -> Entry | None:
    """The function that is asked for; `Class.method` of a new object each time. None: missing."""
    first, _, method = name.partition(".")
    found = module.__dict__.get(first)
    if not callable(found) or (method and not hasattr(found, method)):
        return None
    return (lambda: getattr(found(), method)) if method else (lambda: found)


def _new_module(name: str) -> types.ModuleType:
    module = sys.modules[name] = types.ModuleType(name)
    module.__file__ = "program.py"
    return module


def _flush() -> int:
    """Write out what the program printed; 120 where that fails, as the interpreter has it."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except Exception:
        return 120
    return 0


def _tell(event: list[object]) -> int:
    """Write a line to the values channel; returns the exit status of one who did."""
    line = json.dumps(event).encode() + b"\n"
    while line:
        line = line[os.write(VALUES, line) :]
    return 0
