"""The canaries hold here, each hole that is opened is named by its canary, and a step stops."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from potstill.filters.sandbox import bubblewrap as bubblewrap_module
from potstill.filters.sandbox import canaries, isolation, remains
from potstill.filters.sandbox.backends import ACCEPTANCE
from potstill.filters.sandbox.canaries import ensure_isolated, self_test
from potstill.filters.sandbox.canary_checks import HONEST, INSIDE, MACHINE
from potstill.filters.sandbox.remedies import Facts
from potstill.filters.sandbox.settings import Settings
from potstill.filters.sandbox.trap import Trap
from potstill.filters.sandbox.unsafe import UnsafeProcesses
from potstill.pipeline.errors import RequestError, StepFailed

ALLOW_EVERYTHING = struct.pack("HBBI", 0x06, 0, 0, 0x7FFF0000)  # BPF_RET, SECCOMP_RET_ALLOW
UNSAFE = Settings(unsafe_no_isolation=ACCEPTANCE)
ALL = {*HONEST, *MACHINE, *INSIDE, "left_behind"}

Patch = pytest.MonkeyPatch


@pytest.mark.parametrize("packages", [(), ("numpy",)])
def test_everything_is_held_here(bubblewrap: str, packages: tuple[str, ...]) -> None:
    tested = ensure_isolated(Settings(packages=packages))
    assert tested.faults == []
    assert tested.isolation == "bubblewrap"
    assert {finding.canary for finding in tested.findings} == ALL
    assert len(ALL) == 15
    assert tested.bubblewrap is not None
    assert tested.bubblewrap[0].isdigit()


def test_held_in_single_isolations_too(bubblewrap: str) -> None:
    assert self_test(Settings(mode="oneshot")).faults == []


def without_filters(patch: Patch) -> None:
    """All system calls are allowed, of the zygote and of its programs."""
    patch.setattr(isolation, "zygote_filter", lambda: ALLOW_EVERYTHING)
    patch.setattr(isolation, "program_filter", lambda: ALLOW_EVERYTHING)


def with_arguments(patch: Patch, *more: str, without: tuple[str, ...] = ()) -> None:
    """Options of bubblewrap that open a hole, before those that close the root."""
    usual: Callable[..., list[str]] = bubblewrap_module._arguments

    def arguments(*args: Any) -> list[str]:
        words = [word for word in usual(*args) if word not in without]
        place = words.index("--remount-ro")
        return [*words[:place], *more, *words[place:]]

    patch.setattr(bubblewrap_module, "_arguments", arguments)


def _no_filters(patch: Patch) -> None:
    without_filters(patch)


def _network(patch: Patch) -> None:
    without_filters(patch)
    with_arguments(patch, "--share-net")


def _readable_host(patch: Patch) -> None:
    with_arguments(patch, "--ro-bind", "/etc", "/etc", "--ro-bind", "/var", "/var")


def _writable_host(patch: Patch) -> None:
    with_arguments(patch, "--bind", "/var/tmp", "/var/tmp")


def _environment(patch: Patch) -> None:
    """bubblewrap#725: cleared inside, the environment of its own init is in /proc/1/environ."""
    with_arguments(patch, "--proc", "/proc", without=["--as-pid-1"])
    popen = subprocess.Popen
    patch.setattr(subprocess, "Popen", lambda *args, **kw: popen(*args, **kw | {"env": None}))
    text = bubblewrap_module._LAUNCHER.read_text()
    assert text.count(", {})") == 1
    launcher = Path(tempfile.mkdtemp(), "launcher.py")
    launcher.write_text(text.replace(", {})", ", os.environ)"))
    patch.setattr(bubblewrap_module, "_LAUNCHER", launcher)


def _memory(patch: Patch) -> None:
    usual = isolation.job_text
    patch.setattr(
        isolation,
        "job_text",
        lambda execution: usual(execution).replace(b'"memory_mb": 512', b'"memory_mb": 65536'),
    )


HOLES: list[tuple[Callable[[Patch], None], set[str]]] = [
    (_no_filters, {"sockets", "processes", "signals"}),
    (_network, {"sockets", "processes", "signals", "network"}),
    (_readable_host, {"files", "host_files"}),
    (_writable_host, {"host_files", "host_writes", "writes"}),
    (_environment, {"environment", "files"}),
    (_memory, {"memory_limit"}),
]


@pytest.mark.parametrize(("hole", "told"), HOLES, ids=[hole.__name__ for hole, _ in HOLES])
def test_each_hole_is_named(
    bubblewrap: str, hole: Callable[[Patch], None], told: set[str], monkeypatch: Patch
) -> None:
    hole(monkeypatch)
    tested = self_test(Settings())
    assert {finding.canary for finding in tested.findings if finding.fault} == told
    with pytest.raises(StepFailed, match="does not hold") as stopped:
        ensure_isolated(Settings())
    assert "To go on, bring bubblewrap" in str(stopped.value)


def test_processes_left_behind_are_found(bubblewrap: str, monkeypatch: Patch) -> None:
    left: list[Any] = []
    monkeypatch.setattr(isolation, "ended", lambda process: left.append(process) or "")
    monkeypatch.setattr(isolation.Isolation, "end", _forgetful(isolation.Isolation.end))
    monkeypatch.setattr(remains, "PATIENCE_SECONDS", 0.2)
    try:
        tested = self_test(Settings())
    finally:
        for process in left:
            process.kill()
            process.wait()
    assert [finding.canary for finding in tested.findings if finding.fault] == ["left_behind"]
    assert tested.faults[0].startswith("left_behind: processes live on: [")


def _forgetful(end: Callable[[Any], str]) -> Callable[[Any], str]:
    """Keeps the zygote's socket open, since it ends by itself when that closes."""
    kept = []

    def forgetting(self: Any) -> str:
        kept.append(self._control.dup())
        return end(self)

    return forgetting


def test_a_remote_sandbox_must_keep_away_from_this_machine(monkeypatch: Patch) -> None:
    """A "server" that runs programs right here: on this network, with these files."""
    monkeypatch.setattr(canaries, "open_sandbox", UnsafeProcesses)
    tested = self_test(Settings(backend="remote"))
    assert {finding.canary for finding in tested.findings} == {*HONEST, *MACHINE}
    told = {finding.canary: finding.fault or "" for finding in tested.findings if finding.fault}
    assert set(told) == {"network", "host_files", "host_writes"}
    assert told["network"] == "a program reaches this machine by TCP, UDP, a unix socket"
    with pytest.raises(StepFailed, match="use a server that keeps programs away"):
        ensure_isolated(Settings(backend="remote"))


def test_without_isolation_it_is_said_loudly() -> None:
    notes: list[str] = []
    with pytest.warns(RuntimeWarning, match="WITHOUT ISOLATION"):
        tested = ensure_isolated(UNSAFE, notes.append)
    assert notes == [canaries.UNSAFE_WARNING]
    assert tested.isolation == "none"
    assert {finding.canary for finding in tested.findings} == set(HONEST)


@pytest.mark.parametrize("sentence", ["", "yes", ACCEPTANCE.lower(), ACCEPTANCE + " "])
def test_only_the_whole_sentence_turns_isolation_off(sentence: str) -> None:
    with pytest.raises(RequestError, match="I accept that programs written by a model run"):
        ensure_isolated(Settings(unsafe_no_isolation=sentence))


def test_honest_programs_must_pass(monkeypatch: Patch) -> None:
    """A package that cannot be imported inside would make every program that uses it wrong."""
    monkeypatch.setattr(canaries, "open_sandbox", UnsafeProcesses)
    tested = self_test(Settings(packages=("no_such_package",), unsafe_no_isolation=ACCEPTANCE))
    (fault,) = tested.faults
    assert fault.startswith("honest_calls: it ended by exit 0 and told")
    assert "ModuleNotFoundError" in fault


REFUSALS = [
    ("bwrap: setting up uid map: Permission denied", "user namespaces"),
    ("bwrap: execvp /home/me/python: Permission denied", "code.python: /usr/bin/python3"),
]


@pytest.mark.parametrize(("said", "helps"), REFUSALS)
def test_a_step_stops_with_what_bubblewrap_said(said: str, helps: str, monkeypatch: Patch) -> None:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:  # /tmp is hidden from bubblewrap
        fake = Path(folder, "bwrap")
        fake.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 1\n")
        for path in (Path(folder), fake):
            path.chmod(0o755)
        monkeypatch.setattr(bubblewrap_module, "find_bwrap", lambda: str(fake))
        facts = Facts("Linux", "x86_64", str(fake))
        monkeypatch.setattr(canaries, "read_facts", lambda: facts)
        with pytest.raises(StepFailed) as stopped:
            ensure_isolated(Settings())
    assert f"the sandbox does not start ({said})" in str(stopped.value)
    assert helps in str(stopped.value)


def test_a_step_stops_without_bubblewrap(monkeypatch: Patch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    with pytest.raises(StepFailed, match=r"not installed.*To go on, run: .*install"):
        ensure_isolated(Settings())


def test_the_environment_is_as_before() -> None:
    before = dict(os.environ)
    with Trap() as trap:
        assert os.environ[trap.variable] == trap.token
    assert dict(os.environ) == before
    assert not trap.folder.exists()


def test_the_trap_is_open(tmp_path: Path) -> None:
    """Whoever is not kept away gets in: a canary that could not succeed would prove nothing."""
    with Trap() as trap:
        assert trap.secret.read_text() == trap.token
        assert trap.reached() == trap.written() == []
        tcp, udp = trap.ports
        socket.create_connection(("127.0.0.1", tcp)).close()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"x", ("127.0.0.1", udp))
        with socket.socket(socket.AF_UNIX) as caller:
            caller.connect("\0" + trap.unix_name)
        (trap.folder / "canary").touch()
        assert trap.reached() == ["TCP", "UDP", "a unix socket"]
        assert trap.reached() == []
        assert trap.written() == ["canary"]
