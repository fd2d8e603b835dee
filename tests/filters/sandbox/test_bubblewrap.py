"""What a program can see: nothing but the interpreter, shared libraries, /tmp and three devices."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from potstill.filters.sandbox import bubblewrap as module
from potstill.filters.sandbox.bubblewrap import Inside, ended, find_bwrap, start
from potstill.filters.sandbox.cgroup import ControlGroups
from potstill.filters.sandbox.execution import Execution, SandboxFault, Script
from potstill.filters.sandbox.interpreter import bound, interpreter
from potstill.filters.sandbox.seccomp import zygote_filter
from potstill.filters.sandbox.settings import Settings
from potstill.filters.sandbox.warm import WarmSandbox
from potstill.pipeline.errors import RequestError

LOOK = """
import json, os
tree = {place: sorted(os.listdir(place)) for place in ("/", "/dev", "/tmp")}
mounted = os.access("/usr/lib", os.W_OK)
print(json.dumps({"tree": tree, "writable": mounted, "environment": dict(os.environ)}))
"""


def test_what_is_there(bubblewrap: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POTSTILL_TOKEN", "a secret")
    with WarmSandbox(Settings()) as sandbox:
        seen = json.loads(sandbox.execute(Execution(LOOK, Script())).stdout)
    executable, prefix, _ = interpreter(None)
    allowed = {"usr", "lib", "lib32", "lib64", "tmp", "dev", "potstill"}
    allowed |= {Path(executable).parts[1], Path(prefix).parts[1]}
    assert set(seen["tree"]["/"]) <= allowed
    assert set(seen["tree"]["/dev"]) <= {"null", "zero", "random", "urandom"}
    assert seen["tree"]["/tmp"] == []
    assert seen["writable"] is False
    assert seen["environment"] == {}


def test_no_proc_and_no_capability_is_ever_asked_for() -> None:
    """bubblewrap#725: with /proc its own environment could be read."""
    words = module._arguments(Inside(["true"], texts=[(b"", "/program")]), 9, 10)
    assert not {"--proc", "--dev", "--bind", "--cap-add", "--share-net"} & set(words)
    assert {"--unshare-all", "--unshare-user", "--die-with-parent", "--new-session"} <= set(words)
    assert words.index("--remount-ro") > max(
        position for position, word in enumerate(words) if word == "--ro-bind-data"
    )
    assert words[-3:] == ["--seccomp", "9", "true"]


def test_what_bubblewrap_says_is_the_reason(bubblewrap: str) -> None:
    with open(os.devnull, "rb") as nothing:
        groups = ControlGroups()
        process = start(Inside(["/no/such/program"]), zygote_filter(), groups, nothing.fileno(), -3)
        assert "/no/such/program" in ended(process)


def test_without_bubblewrap_nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_bwrap", lambda: None)
    with WarmSandbox(Settings()) as sandbox, pytest.raises(SandboxFault, match="not installed"):
        sandbox.execute(Execution("print(1)", Script()))


def test_bubblewrap_beside_the_interpreter_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert find_bwrap() is None
    beside = tmp_path / "bwrap"
    beside.write_text("#!/bin/sh\n")
    beside.chmod(0o755)
    assert find_bwrap() == str(beside)


def test_another_interpreter_can_be_named(bubblewrap: str) -> None:
    system = "/usr/bin/python3"
    if not os.access(system, os.X_OK):
        pytest.skip("there is no second interpreter here")
    ask = [system, "-c", "import sys; print(sys.version)"]
    version = subprocess.run(ask, capture_output=True, text=True, check=True).stdout
    with WarmSandbox(Settings(python=system)) as sandbox:
        report = sandbox.execute(Execution("import sys; print(sys.version)", Script()))
    assert report.stdout.decode() == version


def test_an_environment_with_a_copy_of_the_interpreter_is_seen_through(
    bubblewrap: str, tmp_path: Path
) -> None:
    """`venv.create` copies unless it is told to link, and the copy lies in nobody's sight."""
    venv.create(tmp_path / "environment", symlinks=False)
    copy = tmp_path / "environment" / "bin" / "python"
    assert not copy.is_symlink()
    assert interpreter(str(copy)) == interpreter(None)
    with WarmSandbox(Settings(python=str(copy))) as sandbox:
        assert sandbox.execute(Execution("print(1)", Script())).stdout == b"1\n"


def test_what_cannot_be_bound_is_said() -> None:
    with pytest.raises(RequestError, match=r"no_such_package.*not installed"):
        bound(None, ("no_such_package",))
    with pytest.raises(RequestError, match="no Python interpreter"):
        interpreter("/bin/false")
