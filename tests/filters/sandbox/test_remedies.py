"""Each way in which a machine refuses isolation has one remedy, read from files as laid out here.

What bubblewrap says is quoted from bubblewrap 0.8; where this machine can be made to say it (in a
user namespace of its own), it is.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from potstill.filters.sandbox import remedies
from potstill.filters.sandbox.remedies import Facts, apparmor_profile, read_facts, remedy

GOOD = Facts("Linux", "x86_64", "/usr/bin/bwrap", ("debian",), 100_000)
NO_NAMESPACE = (
    "bwrap: Creating new namespace failed: Operation not permitted",
    "bwrap: No permissions to create new namespace, likely because the kernel does not allow "
    "non-privileged user namespaces. On e.g. debian this can be enabled with 'sysctl "
    "kernel.unprivileged_userns_clone=1'.",
    "bwrap: Creating new namespace failed: nesting depth or /proc/sys/user/max_*_namespaces "
    "exceeded (ENOSPC)",
    "bwrap: setting up uid map: Permission denied",
    "bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted",
)


def facts(**changed: object) -> Facts:
    return replace(GOOD, **changed)  # type: ignore[arg-type]


@pytest.mark.parametrize("said", NO_NAMESPACE)
@pytest.mark.parametrize(
    ("machine", "helps"),
    [
        (facts(most_namespaces=0), "sysctl -w user.max_user_namespaces="),
        (facts(cloning_refused=True), "sysctl -w kernel.unprivileged_userns_clone=1"),
        (facts(apparmor_restricts=True), "apparmor_parser -r /etc/apparmor.d/potstill-bwrap"),
        (facts(container="docker"), "--security-opt seccomp=unconfined"),
        (facts(container="podman"), "--security-opt seccomp=unconfined"),
        (facts(container="kubernetes"), "seccompProfile"),
        (facts(container="docker", apparmor_restricts=True), "=0 on its host"),
        (facts(container="docker", most_namespaces=0), "sysctl -w user.max_user_namespaces="),
        (facts(), "allow user namespaces to this user"),
    ],
)
def test_namespaces_that_cannot_be_made(said: str, machine: Facts, helps: str) -> None:
    assert helps in remedy(said, machine)


@pytest.mark.parametrize(
    ("said", "machine", "helps"),
    [
        ("", facts(system="Darwin"), "judge code on Linux"),
        ("", facts(machine="riscv64"), "judge code on x86_64 or aarch64"),
        ("", facts(bwrap=None), "run: apt install bubblewrap"),
        ("", facts(bwrap=None, distributions=("ubuntu", "debian")), "run: apt install"),
        ("", facts(bwrap=None, distributions=("rocky", "rhel", "fedora")), "run: dnf install"),
        ("", facts(bwrap=None, distributions=("alpine",)), "run: apk add bubblewrap"),
        ("", facts(bwrap=None, distributions=("strange",)), "package manager"),
        ("bwrap: execvp /home/me/py/bin/python: Permission denied", GOOD, "/usr/bin/python3"),
        ("bwrap: execvp /opt/py: No such file or directory", GOOD, "/usr/bin/python3"),
        ("PermissionError: [Errno 13] Permission denied: '/usr/bin/bwrap'", GOOD, "every user"),
        ("something new", GOOD, "use a remote sandbox"),
    ],
)
def test_the_other_refusals(said: str, machine: Facts, helps: str) -> None:
    assert helps in remedy(said, machine)


def test_no_remedy_gives_isolation_up() -> None:
    machines = [GOOD, facts(system="Darwin"), facts(bwrap=None), facts(apparmor_restricts=True)]
    said = [*NO_NAMESPACE, "", "execvp /x: Permission denied", "something new"]
    advice = {remedy(text, machine) for text in said for machine in machines}
    assert not [each for each in advice if "unsafe" in each or "without isolation" in each]


def test_facts_are_read_from_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remedies, "find_bwrap", lambda: "/opt/bwrap")
    bare = read_facts(tmp_path)
    assert bare == Facts(bare.system, bare.machine, "/opt/bwrap")
    for name, text in {
        "etc/os-release": 'NAME="Ubuntu"\nID=ubuntu\nID_LIKE="debian"\nBROKEN\n',
        "proc/sys/user/max_user_namespaces": "0\n",
        "proc/sys/kernel/unprivileged_userns_clone": "0\n",
        "proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1\n",
        ".dockerenv": "",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert read_facts(tmp_path) == replace(
        bare,
        distributions=("ubuntu", "debian"),
        most_namespaces=0,
        cloning_refused=True,
        apparmor_restricts=True,
        container="docker",
    )


def test_the_profile_is_written_by_the_command_that_is_shown(tmp_path: Path) -> None:
    advice = remedy(NO_NAMESPACE[3], facts(apparmor_restricts=True))
    printing = advice.removeprefix("run as root: ").partition(" > ")[0]
    written = subprocess.run(["sh", "-c", printing], capture_output=True, text=True, check=True)
    assert written.stdout == apparmor_profile("/usr/bin/bwrap")
    assert "profile potstill-bwrap /usr/bin/bwrap flags=(unconfined) {\n  userns,\n}" in (
        written.stdout
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may set limits of a namespace")
def test_what_bubblewrap_says_where_namespaces_are_used_up(bubblewrap: str) -> None:
    """Said by the real one, in a user namespace that may hold no others."""
    script = (
        "echo 0 > /proc/sys/user/max_user_namespaces; cat /proc/sys/user/max_user_namespaces;"
        f"{bubblewrap} --unshare-all --unshare-user --ro-bind / / true"
    )
    done = subprocess.run(["unshare", "-Ur", "sh", "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "0\n")
    assert "max_user_namespaces" in remedy(done.stderr, facts(most_namespaces=0))
