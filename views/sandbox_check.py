"""What `doctor` says of the sandbox for code: the canaries of a judging step, run for real.

Three lines: whether programs are kept in, with the remedy of this machine where they are not;
which of the kernel's groups bound them together; and which filter of system calls they get. What a
recipe's own settings change (a remote sandbox, packages) is tried by its step and not here.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass

from ..filters.sandbox.canaries import last_line, self_test, what_helps
from ..filters.sandbox.cgroup import ControlGroups
from ..filters.sandbox.execution import SandboxFault
from ..filters.sandbox.remedies import MACHINES, Facts, read_facts, remedy
from ..filters.sandbox.settings import Settings
from ..pipeline.errors import RequestError


@dataclass(frozen=True, slots=True)
class SandboxLine:
    """As `doctor.Check` has it, without the name."""

    state: str
    value: str
    advice: str = ""


def sandbox_lines() -> dict[str, SandboxLine]:
    """The state of the sandbox by name of line; takes about half a second."""
    facts = read_facts()
    absent = _absent(facts)
    if absent is not None:
        return {"sandbox": SandboxLine("missing", absent, remedy("", facts))}
    return {
        "sandbox": _isolation(facts),
        "sandbox limits": _groups(),
        "system calls": SandboxLine("ok", f"filtered by an allowlist for {facts.machine}"),
    }


def _absent(facts: Facts) -> str | None:
    if facts.system != "Linux":
        return "judging code needs Linux"
    if facts.machine not in MACHINES:
        return f"no filter of system calls for {platform.machine()}; needed only to judge code"
    if facts.bwrap is None:
        return "bubblewrap is not installed; needed only to judge code"
    return None


def _isolation(facts: Facts) -> SandboxLine:
    try:
        tested = self_test(Settings())
    except (SandboxFault, RequestError) as error:
        value = f"does not start: {last_line(error)}"
        return SandboxLine("broken", value, remedy(str(error), facts))
    if tested.faults:
        value = f"does not hold: {'; '.join(tested.faults)}"
        return SandboxLine("broken", value, what_helps(tested))
    held = f"bubblewrap {tested.bubblewrap} holds all {len(tested.findings)} canaries"
    return SandboxLine("ok", held)


def _groups() -> SandboxLine:
    """No warning without groups: the limits of processes hold for everybody."""
    groups = ControlGroups.make()
    bound, version = sorted(groups.folders), groups.version
    groups.remove()
    if not bound:
        return SandboxLine("ok", "by process; control groups cannot be made by this user")
    return SandboxLine("ok", f"by process, and {' and '.join(bound)} by control group v{version}")
