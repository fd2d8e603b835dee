"""Programs that try to get out, run before every judging step: the step begins if none succeeds.

That an isolation is installed, configured or said to hold proves nothing; kernels, containers and
servers differ. So honest programs must pass and hostile ones must fail, through the same `execute`
that will run the real programs. Every isolation must keep programs away from this machine: its
network, files, environment and processes. Sockets, processes and limits inside are ours to refuse
with bubblewrap, and the server's business with a remote sandbox.

Without isolation (the sentence) only the honest programs are asked. Where something is not held,
the step stops with the reason and the remedy for this machine; nothing falls back to less.
"""

from __future__ import annotations

import subprocess
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from ...pipeline.errors import StepFailed
from .backends import Isolation, isolation_of, open_sandbox
from .bubblewrap import find_bwrap
from .canary_checks import HONEST, INSIDE, MACHINE, Cage, Canary, Unanswered
from .execution import RunnerMissing, SandboxFault
from .remains import Remains
from .remedies import REMOTE, read_facts, remedy
from .settings import Settings
from .trap import Trap

UNSAFE_WARNING: Final = (
    "programs written by a model run WITHOUT ISOLATION: with the rights, the files and the network "
    "of this user (code.unsafe_no_isolation)"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one canary; `fault` is None where the sandbox held."""

    canary: str
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class SelfTest:
    """What was tried, and what stands between programs and this machine."""

    isolation: Isolation
    findings: tuple[Finding, ...]
    bubblewrap: str | None = None
    """Its version, where it is used."""

    @property
    def faults(self) -> list[str]:
        """Canaries that were not held, each with what happened."""
        return [f"{each.canary}: {each.fault}" for each in self.findings if each.fault]


def ensure_isolated(settings: Settings, note: Callable[[str], None] | None = None) -> SelfTest:
    """Try everything; returns only if programs may be run.

    Args:
        note: tells a person, beside the warning, that there is no isolation.

    Raises:
        StepFailed: something was not held or could not be started; says why and what helps.
        RequestError: the settings are wrong.
    """
    try:
        tested = self_test(settings)
    except (SandboxFault, RunnerMissing) as error:
        raise StepFailed(
            f"code cannot be judged: the sandbox does not start ({last_line(error)}). No program "
            f"was run. To go on, {remedy(str(error), read_facts())}. `potstill doctor` shows the "
            "state."
        ) from error
    if tested.faults:
        raise StepFailed(
            f"code cannot be judged: the sandbox ({tested.isolation}) does not hold "
            f"({'; '.join(tested.faults)}). No program was run. To go on, {what_helps(tested)}."
        )
    if tested.isolation == "none":
        warnings.warn(UNSAFE_WARNING, RuntimeWarning, stacklevel=2)
        if note is not None:
            note(UNSAFE_WARNING)
    return tested


def self_test(settings: Settings) -> SelfTest:
    """All canaries that the settings ask for, each with its finding; takes about half a second.

    Raises:
        SandboxFault: the sandbox does not start or broke.
        RequestError: the settings are wrong.
    """
    isolation = isolation_of(settings)
    with Trap() as trap, Remains() as remains:
        with open_sandbox(settings) as sandbox:
            cage = Cage(sandbox, trap, settings)
            found = [_finding(name, canary, cage) for name, canary in _asked(isolation).items()]
            remains.look()
        if isolation == "bubblewrap":
            left = remains.after()
            found.append(Finding("left_behind", f"processes live on: {left}" if left else None))
    return SelfTest(isolation, tuple(found), _version() if isolation == "bubblewrap" else None)


def last_line(error: Exception) -> str:
    """What was said at last, where the first process of a sandbox left a traceback."""
    lines = str(error).strip().splitlines()
    return lines[-1][:300] if lines else type(error).__name__


def _asked(isolation: Isolation) -> Mapping[str, Canary]:
    if isolation == "none":
        return HONEST
    return HONEST | MACHINE | (INSIDE if isolation == "bubblewrap" else {})


def _finding(name: str, canary: Canary, cage: Cage) -> Finding:
    try:
        return Finding(name, canary(cage))
    except Unanswered as error:
        return Finding(name, str(error))


def _version() -> str:
    """Of bubblewrap, as it tells itself."""
    command = [find_bwrap() or "bwrap", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={})
    return done.stdout.strip().removeprefix("bubblewrap ")


def what_helps(tested: SelfTest) -> str:
    """What to do about an isolation that starts and does not hold."""
    if tested.isolation == "remote":
        return "use a server that keeps programs away from this machine"
    if tested.isolation == "none":
        return "mend what the honest program met, or take the sentence out"
    return f"bring bubblewrap and the kernel up to date, or {REMOTE}"
