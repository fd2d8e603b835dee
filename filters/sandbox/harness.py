"""Runs inside the sandbox: a process that forks one child per program, and what the child does.

It is given to the interpreter in there as text, needs the standard library only and imports nothing
of potstill. The first process (the zygote) imports once, then waits on a socket at descriptor 0:

    b"J" with five descriptors   fork a child: job, stdin, stdout, stderr, values
    b"R"                         wait for the child and tell how it ended
    b"K"                         kill it first

What a job says and what a program writes never passes through the zygote, so nothing of one program
is in the memory that the next one is forked from. A child limits itself, installs the second system
call filter, and only then reads the program as code. Nobody has to believe what it writes: the
outside reads it as hostile bytes, and this file holds no secret and no expected value.

What the values channel carries is defined in `execution.py`. In remote sandboxes the same
text does its work without a zygote (`remote_job.py`).
"""

from __future__ import annotations

import _sitebuiltins
import atexit
import builtins
import contextlib
import ctypes
import gc
import io
import json
import os
import random
import resource
import signal
import socket
import struct
import sys
import threading
import traceback
import types
from collections.abc import Callable
from typing import Any

VALUES = 3
"""Descriptor of the channel for values in a child."""
MEMORY_EXIT = 86
"""Exit status of a program that ran out of memory."""
READY = b"ready\n"
"""First on the values channel: the child was set up, and what follows is the program's doing."""
REPORT = struct.Struct("<iddI")
"""Wait status, CPU seconds of user and system, things left in its folder."""
MAX_DEPTH = 64
NAME_LENGTH = 100
LEFT_OVER = 64
"""Files that are removed one by one; after a program that leaves more the sandbox is renewed."""

_MODULES = (
    "bisect collections copy dataclasses functools heapq itertools math operator re string time "
    "typing"
)
"""What programs import most, loaded once before the forks; each makes every fork dearer."""
Entry = Callable[[], Callable[..., Any]]
"""Gives the function to call."""


# The zygote


def serve(packages: list[str]) -> None:
    """Fork a child for every job until the socket closes; the current folder is theirs to fill."""
    folder = os.getcwd()
    control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=0)
    for name in [*_MODULES.split(), *packages]:
        __import__(name)
    os.environ.clear()
    ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE: nobody may read or trace it
    for name in ("exit", "quit"):  # as `site` does, which does not run here
        setattr(builtins, name, _sitebuiltins.Quitter(name, "Ctrl-D"))
    install = _installer(control.recv(1 << 16))
    _new_streams()
    gc.collect()
    gc.freeze()  # a collection in a child would copy every page that it looks at
    control.sendall(b"ready")
    child = 0
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 1, 5)
        if not message:
            os._exit(0)
        if message == b"J":
            child = os.fork()
            if child == 0:
                _be_a_child(descriptors, install)
            for descriptor in descriptors:
                os.close(descriptor)
        else:
            if message == b"K":
                os.kill(child, signal.SIGKILL)
            _, status, usage = os.wait4(child, 0)
            left = REPORT.pack(status, usage.ru_utime, usage.ru_stime, _left_over(folder))
            control.sendall(left)


def _left_over(folder: str) -> int:
    """Remove the plain files that a program left; how many things are still there."""
    os.chmod(folder, 0o700)
    names = os.listdir(folder)
    if 0 < len(names) <= LEFT_OVER:
        for name in names:
            with contextlib.suppress(OSError):  # a folder: counted below
                os.unlink(os.path.join(folder, name))
        names = os.listdir(folder)
    return len(names)


# The child


def _be_a_child(descriptors: list[int], install: Callable[[], None]) -> None:
    """Become the process of one program. Never returns."""
    status = 1
    try:
        job_file, *streams = descriptors
        job = json.loads(os.read(job_file, os.fstat(job_file).st_size))
        for place, descriptor in enumerate(streams):
            os.dup2(descriptor, place)
        os.closerange(VALUES + 1, 64)
        _limit(job["limits"])
        install()
        os.write(VALUES, READY)
        status = run(job)
    except MemoryError:
        status = MEMORY_EXIT
    finally:
        os._exit(status)


def _limit(limits: dict[str, int]) -> None:
    """Both limits alike, so that the program can raise none; CPU time warns a second before."""
    mebibyte = 1 << 20
    cpu_seconds = limits["cpu_seconds"]
    for name, value in {
        "RLIMIT_AS": limits["memory_mb"] * mebibyte,
        "RLIMIT_FSIZE": 16 * mebibyte,
        "RLIMIT_NOFILE": 64,
        "RLIMIT_NPROC": 64,  # threads; forks are refused by the filter
        "RLIMIT_CORE": 0,
        "RLIMIT_MEMLOCK": 0,
        "RLIMIT_MSGQUEUE": 0,
    }.items():
        which = getattr(resource, name)
        _, hard = resource.getrlimit(which)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (value, value))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))


def _installer(program_filter: bytes) -> Callable[[], None]:
    """What hands the filter to the kernel. Made before the forks: each page a child touches costs.

    PR_SET_NO_NEW_PRIVS (38), then PR_SET_SECCOMP (22) in filter mode (2).
    """
    buffer = ctypes.create_string_buffer(program_filter, len(program_filter))
    program = ctypes.create_string_buffer(
        struct.pack("HxxxxxxP", len(program_filter) // 8, ctypes.addressof(buffer))
    )
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_ulong]
    place = ctypes.addressof(program)

    def install(_alive: object = (buffer, program)) -> None:
        if prctl(38, 1, None, 0, 0) != 0 or prctl(22, 2, place, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "the filter could not be installed")

    return install


def _new_streams() -> None:
    """Text streams as a new interpreter has them; nothing is read or written before the fork."""
    sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), "utf-8")
    sys.stdout = io.TextIOWrapper(io.BufferedWriter(io.FileIO(1, "w", closefd=False)), "utf-8")
    sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(io.FileIO(2, "w", closefd=False)),
        "utf-8",
        "backslashreplace",
        line_buffering=True,
    )
    vars(sys).update(__stdin__=sys.stdin, __stdout__=sys.stdout, __stderr__=sys.stderr)


# A job


def run(job: dict[str, Any]) -> int:
    """Do a job; returns the exit status."""
    random.seed(0)  # the same program should get the same verdict twice
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
        kind, error, frames = sys.exc_info()
        traceback.print_exception(kind, error, frames and frames.tb_next)  # ours is none of its
        return _flush() or 1
    return _flush()


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
        return _tell(["setup", "raised", _name_of(type(error))])
    entry = _entry_point(module, task["entry_point"])
    if entry is None:
        return _tell(["setup", "missing", task["entry_point"]])
    calls = [_check(module, entry, task)] if task["kind"] == "asserts" else _calls(entry, task)
    for number, call in enumerate(calls):
        try:
            event = [number, "value", wire(call())]
        except BaseException as error:
            event = [number, "raised", _name_of(type(error))]
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
        exec(_compiled(task["check"], "check.py"), module.__dict__)
        checking = module.__dict__.get("check")
        if callable(checking):
            checking(entry())
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
    return module


def _flush() -> int:
    """Write out what the program printed; 120 where that fails, as the interpreter has it."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except Exception:
        return 120
    return 0


# Values


def _tell(event: list[object]) -> int:
    """Write a line to the values channel; returns the exit status of one who did."""
    line = json.dumps(event).encode() + b"\n"
    while line:
        line = line[os.write(VALUES, line) :]
    return 0


def _name_of(kind: type) -> str:
    """The real name of a class, whatever its metaclass says."""
    return str(type.__dict__["__name__"].__get__(kind))[:NAME_LENGTH]


def wire(value: Any, depth: int = 0) -> Any:
    """A wire value; the base type's own methods are used, so a subclass cannot lie."""
    kinds: tuple[type, ...] = type.__dict__["__mro__"].__get__(type(value))
    if value is None or value is True or value is False:
        return value
    if depth > MAX_DEPTH:
        return {"other": "nested too deeply"}
    for kind, encode in _ENCODERS.items():
        if kind in kinds:
            return encode(value, depth + 1)
    if "numpy" in sys.modules and (item := _of_numpy(value, kinds)) is not None:
        return wire(item, depth + 1)
    return {"other": _name_of(type(value))}


def _of_numpy(value: Any, kinds: tuple[type, ...]) -> Any:
    """What a number or an array of numpy is in plain Python."""
    numpy = sys.modules["numpy"]
    if numpy.ndarray in kinds:
        return numpy.ndarray.tolist(value)
    return numpy.generic.item(value) if numpy.generic in kinds else None


def _int(value: int, _depth: int) -> Any:
    number = int.__add__(value, 0)
    return number if -(2**53) < number < 2**53 else {"int": hex(number)}


def _each(values: Any, depth: int) -> list[Any]:
    return [wire(each, depth) for each in values]


_ENCODERS: dict[type, Callable[[Any, int], Any]] = {
    int: _int,
    str: lambda value, _: str.__str__(value),
    float: lambda value, _: {"float": float.hex(value)},
    list: lambda value, depth: _each(list.__iter__(value), depth),
    tuple: lambda value, depth: {"tuple": _each(tuple.__iter__(value), depth)},
    dict: lambda value, depth: {"dict": [_each(pair, depth) for pair in dict.items(value)]},
    set: lambda value, depth: {"set": _each(set.__iter__(value), depth)},
    frozenset: lambda value, depth: {"frozenset": _each(frozenset.__iter__(value), depth)},
    bytes: lambda value, _: {"bytes": bytes.hex(value)},
    bytearray: lambda value, _: {"bytearray": bytearray.hex(value)},
    complex: lambda value, _: {
        "complex": [float.hex(complex.real.__get__(value)), float.hex(complex.imag.__get__(value))]
    },
}


def unwire(value: Any) -> Any:
    """The Python value of a wire value that came from outside."""
    if isinstance(value, list):
        return [unwire(each) for each in value]
    if not isinstance(value, dict):
        return value
    ((tag, held),) = value.items()
    return _DECODERS[tag](held)


_DECODERS: dict[str, Callable[[Any], Any]] = {
    "int": lambda held: int(held, 16),
    "float": float.fromhex,
    "complex": lambda held: complex(float.fromhex(held[0]), float.fromhex(held[1])),
    "bytes": bytes.fromhex,
    "bytearray": bytearray.fromhex,
    "tuple": lambda held: tuple(unwire(held)),
    "set": lambda held: set(unwire(held)),
    "frozenset": lambda held: frozenset(unwire(held)),
    "dict": lambda held: {unwire(key): unwire(value) for key, value in held},
}
