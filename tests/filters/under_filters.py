"""Runs a piece of Python, or another command, under filters that the kernel really enforces.

Every trial is a new interpreter that installs the filters before it does what it is given, without
bubblewrap around it.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from potstill.filters.sandbox.seccomp import program_filter, zygote_filter
from potstill.filters.sandbox.syscalls import MACHINES

HERE = platform.machine()
needs_filters = pytest.mark.skipif(
    sys.platform != "linux" or HERE not in MACHINES, reason=f"no filters for {sys.platform} {HERE}"
)
BOTH = (zygote_filter, program_filter)
"""As around a program: the first is installed first."""

INSTALL = """
import ctypes, json, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
for text in json.loads(sys.argv[1]):
    code = bytes.fromhex(text)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))
    assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, program, 0, 0) == 0
def call(number, *arguments):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments))
    return ctypes.get_errno() if result == -1 else None
"""


def run(
    code: str, filters: tuple[Callable[[], bytes], ...], folder: Path
) -> subprocess.CompletedProcess[str]:
    """Run code under these filters, the first installed first."""
    texts = json.dumps([each().hex() for each in filters])
    return subprocess.run(
        [sys.executable, "-I", "-B", "-c", INSTALL + code, texts],
        cwd=folder,
        env={"OPENBLAS_NUM_THREADS": "2"} | {k: os.environ[k] for k in ("PATH", "HOME")},
        capture_output=True,
        text=True,
        timeout=60,
        start_new_session=True,
    )


def said(code: str, filters: tuple[Callable[[], bytes], ...], folder: Path) -> str:
    done = run(code, filters, folder)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()
