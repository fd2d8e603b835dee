"""Why a sandbox cannot be made on this machine, and the one thing to do about it.

A refusal to judge helps nobody who is not told how to go on. What bubblewrap said and a few facts
of the machine (settings of the kernel, the distribution, a container around us) decide on one
remedy: a package, a setting, an AppArmor profile, options of the container, another interpreter, or
a remote sandbox. Facts are read from files below a root, so that tests can lay out other machines.
Nothing is changed here, and no remedy is "without isolation".
"""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .bubblewrap import find_bwrap

MACHINES: Final = ("x86_64", "aarch64")
"""Machines whose system calls the filters know (`syscalls.py`)."""

REMOTE: Final = "use a remote sandbox (backend: remote, with remote_url)"
_INSTALL: Final = {
    "debian": "apt install bubblewrap",
    "fedora": "dnf install bubblewrap",
    "rhel": "dnf install bubblewrap",
    "suse": "zypper install bubblewrap",
    "arch": "pacman -S bubblewrap",
    "alpine": "apk add bubblewrap",
}
_CONTAINERS: Final = {
    "docker": ".dockerenv",
    "podman": "run/.containerenv",
    "kubernetes": "var/run/secrets/kubernetes.io",
}
"""Files that the runtimes put into every container they start."""
_OPTIONS: Final = {
    "docker": "start the container with --security-opt seccomp=unconfined "
    "--security-opt apparmor=unconfined",
    "podman": "start the container with --security-opt seccomp=unconfined "
    "--security-opt label=disable",
    "kubernetes": "give the pod seccompProfile and appArmorProfile of type Unconfined",
}
_APPARMOR_OFF: Final = "set kernel.apparmor_restrict_unprivileged_userns=0"
_NAMESPACES: Final = re.compile(
    r"namespace|uid map|gid map|setgroups|RTM_NEWADDR|pivot_root|mount|EPERM|not permitted",
    re.IGNORECASE,
)
"""What bubblewrap says where the kernel refuses it a step of the isolation."""
_UNREADABLE: Final = re.compile(r"execvp?e? [^\n]*: (?:Permission denied|No such file)")


@dataclass(frozen=True, slots=True)
class Facts:
    """What decides on the remedy, of this machine."""

    system: str
    machine: str
    bwrap: str | None
    distributions: tuple[str, ...] = ()
    """ID and ID_LIKE of os-release: the distribution and its ancestors."""
    most_namespaces: int | None = None
    """user.max_user_namespaces."""
    cloning_refused: bool = False
    """kernel.unprivileged_userns_clone=0, of Debian's older kernels."""
    apparmor_restricts: bool = False
    """kernel.apparmor_restrict_unprivileged_userns=1, as in Ubuntu since 23.10."""
    container: str | None = None


def read_facts(root: Path = Path("/")) -> Facts:
    """The facts, from the files of a machine whose root folder this is."""
    kernel = root / "proc/sys/kernel"
    return Facts(
        system=platform.system(),
        machine=platform.machine(),
        bwrap=find_bwrap(),
        distributions=_distributions(root / "etc/os-release"),
        most_namespaces=_number(root / "proc/sys/user/max_user_namespaces"),
        cloning_refused=_number(kernel / "unprivileged_userns_clone") == 0,
        apparmor_restricts=_number(kernel / "apparmor_restrict_unprivileged_userns") == 1,
        container=next(
            (name for name, mark in _CONTAINERS.items() if (root / mark).exists()), None
        ),
    )


def remedy(message: str, facts: Facts) -> str:
    """What to do, as one sentence without its full stop.

    Args:
        message: what was said where the isolation could not be made; "" if nothing was tried.
    """
    if facts.system != "Linux":
        return f"judge code on Linux, or {REMOTE}"
    if facts.machine not in MACHINES:
        return f"judge code on {' or '.join(MACHINES)}, or {REMOTE}"
    if facts.bwrap is None:
        return f"run: {_install(facts.distributions)}"
    if f"denied: '{facts.bwrap}'" in message:  # root gives up its rights before it runs bwrap
        return f"install bubblewrap where every user may run it: {_install(facts.distributions)}"
    if _UNREADABLE.search(message):
        return (
            "choose an interpreter that every user may read, such as one of the system "
            "(code.python: /usr/bin/python3)"
        )
    if _NAMESPACES.search(message):
        return _allowing_namespaces(facts, facts.bwrap)
    return REMOTE


def _install(distributions: tuple[str, ...]) -> str:
    known = (_INSTALL[name] for name in distributions if name in _INSTALL)
    return next(known, "the package manager's command that installs bubblewrap")


def _allowing_namespaces(facts: Facts, bwrap: str) -> str:
    """A setting of the kernel first: it holds inside of a container too."""
    if facts.most_namespaces == 0:
        return "run as root: sysctl -w user.max_user_namespaces=10000"
    if facts.cloning_refused:
        return "run as root: sysctl -w kernel.unprivileged_userns_clone=1"
    if facts.container is not None:
        host = f", and {_APPARMOR_OFF} on its host" if facts.apparmor_restricts else ""
        return f"{_OPTIONS[facts.container]}{host}, or {REMOTE}"
    if facts.apparmor_restricts:
        profile = apparmor_profile(bwrap).replace("\n", "\\n")
        place = "/etc/apparmor.d/potstill-bwrap"
        return f"run as root: printf '{profile}' > {place} && apparmor_parser -r {place}"
    return f"allow user namespaces to this user, or {REMOTE}"


def apparmor_profile(bwrap: str) -> str:
    """A profile that lets bubblewrap make user namespaces, and nothing else make them."""
    return (
        "abi <abi/4.0>,\n"
        "include <tunables/global>\n"
        f"profile potstill-bwrap {bwrap} flags=(unconfined) {{\n"
        "  userns,\n"
        "}\n"
    )


def _distributions(file: Path) -> tuple[str, ...]:
    try:
        text = file.read_text("utf-8", "replace")
    except OSError:
        return ()
    fields = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    names = f"{fields.get('ID', '')} {fields.get('ID_LIKE', '')}"
    return tuple(names.replace('"', "").split())


def _number(file: Path) -> int | None:
    """The number in a file of the kernel; None where this kernel has no such setting."""
    try:
        return int(file.read_text("ascii"))
    except (OSError, ValueError):
        return None
