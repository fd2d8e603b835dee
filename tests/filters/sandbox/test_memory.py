"""No input of a program is in the memory of the next one, which is a copy of the forking process's.

A program searches all memory that it can find: there is no list of mappings inside, so it looks
around every object that Python knows, on the heap and on the stack, and asks the kernel of each
page whether it is there. That it finds what is there is shown beside.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator

import pytest

from potstill.filters.sandbox.execution import Call, Calls, Execution, Limits, Report, Script, Task
from potstill.filters.sandbox.settings import Settings
from potstill.filters.sandbox.warm import WarmSandbox

LIMITS = Limits(cpu_seconds=10, wall_seconds=30.0)


@pytest.fixture
def sandbox(bubblewrap: str) -> Iterator[WarmSandbox]:
    with WarmSandbox(Settings()) as made:
        yield made


def run(sandbox: WarmSandbox, code: str, task: Task | None = None) -> Report:
    return sandbox.execute(Execution(code, task or Script("stdin\n"), limits=LIMITS))


SEARCHES = """
import ctypes, gc, hashlib, os, re, sys

reader, writer = os.pipe()
libc = ctypes.CDLL(None)
libc.sbrk.restype = ctypes.c_void_p
PAGE = 4096

def page(address):
    # write(2) answers EFAULT where nothing is mapped, so looking there does not crash
    if libc.write(writer, ctypes.c_void_p(address), ctypes.c_size_t(PAGE)) != PAGE:
        return b""
    return os.read(reader, PAGE)

def pages():
    local = ctypes.c_int()
    top = libc.sbrk(0) or 0
    near = {id(found) >> 20 for found in gc.get_objects()}
    near |= {id(found) >> 20 for found in sys.modules.values()}
    near |= {ctypes.addressof(local) >> 20, ctypes.cast(libc.printf, ctypes.c_void_p).value >> 20}
    near |= set(range((top >> 20) - 32, (top >> 20) + 1))
    for block in sorted({each + step for each in near for step in (-1, 0, 1)}):
        yield from range(block << 20, (block + 1) << 20, PAGE)

def search(digest):
    # only the digest is known here: the token itself would be found where it is looked for
    found, tail = 0, b""
    for address in pages():
        data = page(address)
        for match in re.finditer(rb"TOKEN-[0-9a-f]{24}", tail[-29:] + data):
            found += hashlib.sha256(match[0]).hexdigest() == digest
        tail = data
    return found
"""
INPUTS = {
    "code": "x = 'TOKEN' * 3\nprint(len(x))",
    "stdin": "import sys; kept = sys.stdin.read() * 100; print(len(kept))",
    "args": "def f(text): return [text] * 50",
    "printed": "print('TOKEN')",
    "environment": "import os; os.environ['X'] = 'TOKEN'",
}


@pytest.mark.parametrize("where", INPUTS)
def test_no_input_of_a_program_is_in_the_memory_of_the_next(
    sandbox: WarmSandbox, where: str
) -> None:
    token = f"TOKEN-{secrets.token_hex(12)}"
    digest = hashlib.sha256(token.encode()).hexdigest()
    run(sandbox, "pass")
    isolation = sandbox._isolation
    task = Calls("f", (Call((token,)),)) if where == "args" else Script(f"{token}\n" * 50)
    run(sandbox, INPUTS[where].replace("TOKEN", token), task)
    report = run(sandbox, f"{SEARCHES}\nprint(search({digest!r}))")
    assert sandbox._isolation is isolation
    assert report.stdout == b"0\n", report


def test_the_search_finds_what_is_there(sandbox: WarmSandbox) -> None:
    token = f"TOKEN-{secrets.token_hex(12)}"
    digest = hashlib.sha256(token.encode()).hexdigest()
    report = run(sandbox, f"{SEARCHES}\nkept = {token!r}\nprint(search({digest!r}))")
    assert int(report.stdout) > 0, report
