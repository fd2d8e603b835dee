"""What every test of the sandbox needs: bubblewrap that works, or a loud reason why not.

Where it cannot work such tests are skipped with the remedy; in CI (the variable `CI` is set) they
fail, since a suite that skips its sandbox proves nothing of it. Asked is bubblewrap itself and none
of our code: what is broken in ours must fail and never be skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from potstill.filters.sandbox.bubblewrap import find_bwrap
from potstill.filters.sandbox.remedies import read_facts, remedy

NOBODY = 65534


def refusal_of_bubblewrap() -> str | None:
    """What bubblewrap says when it is to isolate a process here; None if it can."""
    bwrap = find_bwrap()
    if bwrap is None:
        return "bubblewrap is not installed"
    command = [
        bwrap,
        "--unshare-all",
        "--unshare-user",
        "--ro-bind",
        "/",
        "/",
        shutil.which("true"),
    ]
    who = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    done = subprocess.run(command, capture_output=True, text=True, env={}, **who)
    return done.stderr.strip() if done.returncode else None


@pytest.fixture(scope="session")
def bubblewrap() -> str:
    """Where bubblewrap is; every test that needs it asks for this fixture."""
    refusal = refusal_of_bubblewrap()
    found = find_bwrap()
    if refusal is None and found is not None:
        return found
    message = f"{refusal}; {remedy(refusal or '', read_facts())}"
    if os.environ.get("CI"):
        pytest.fail(f"the sandbox cannot be tested: {message}")
    pytest.skip(message)
