"""Each canary: what a program is asked inside, and what is made of it out here.

A canary says what was not held, or None. Where this machine can see by itself whether something
happened (a listener was reached, a file was written), that counts and not what the program says.
The programs are in `canary_programs.py`; which canaries an isolation must hold, in `canaries.py`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .execution import Call, Calls, Execution, Limits, Report, Sandbox, Script
from .interpreter import interpreter
from .settings import Settings
from .trap import Trap

_USUAL: Final = Limits()
_PROGRAMS: Final = Path(__file__).with_name("canary_programs.py").read_text("utf-8")
_SCRIPT: Final = "print(2 * int(input()))"
_TOO_MUCH_MB: Final = 2 * _USUAL.memory_mb
_TOO_LONG_SECONDS: Final = 60.0
_SHORT: Final = Limits(wall_seconds=0.2)
_FILES: Final = (
    *("/etc/passwd", "/etc/shadow", "/etc/hostname", "/etc/machine-id", "/sys/kernel/osrelease"),
    *("/proc/self/environ", "/proc/1/environ", "/proc/self/maps", "/proc/cpuinfo"),
)
_HOME_FILES: Final = 3


@dataclass(frozen=True, slots=True)
class Cage:
    """What a canary is given."""

    sandbox: Sandbox
    trap: Trap
    settings: Settings

    def ask(self, function: str, *args: Any, limits: Limits = _USUAL) -> Any:
        """What a function of the canaries' programs returned inside.

        Raises:
            Unanswered: it did not end with a value.
        """
        report = self.run(function, *args, limits=limits)
        lines = report.values.decode("utf-8", "replace").splitlines()
        try:
            number, event, value = json.loads(lines[0])
        except (IndexError, ValueError, TypeError):
            raise Unanswered(_how(report)) from None
        if (report.ending, report.code, number, event) != ("exit", 0, 0, "value"):
            raise Unanswered(_how(report))
        return value

    def run(self, function: str, *args: Any, limits: Limits = _USUAL) -> Report:
        task = Calls(function, (Call(args),))
        return self.sandbox.execute(Execution(_PROGRAMS, task, limits=limits))


class Unanswered(Exception):
    """A canary ended in a way in which it should not."""


Canary = Callable[[Cage], str | None]
"""Says what was not held; None where all was."""


def _honest_calls(cage: Cage) -> str | None:
    answer = cage.ask("double", 21, list(cage.settings.packages))
    return None if answer == 42 else f"twice 21 is {answer!r:.80}"


def _honest_script(cage: Cage) -> str | None:
    report = cage.sandbox.execute(Execution(_SCRIPT, Script("21\n")))
    right = (report.ending, report.code, report.stdout) == ("exit", 0, b"42\n")
    return None if right else _how(report)


def _network(cage: Cage) -> str | None:
    """Believed are the listeners, which must have heard nothing."""
    cage.ask("call_out", *cage.trap.ports, cage.trap.unix_name)
    heard = cage.trap.reached()
    return f"a program reaches this machine by {', '.join(heard)}" if heard else None


def _host_files(cage: Cage) -> str | None:
    seen = cage.ask("content", str(cage.trap.secret)) == cage.trap.token
    return f"a program reads {cage.trap.secret}" if seen else None


def _environment(cage: Cage) -> str | None:
    places = cage.ask("find_variable", cage.trap.variable)
    return f"the environment is seen in {', '.join(places)}" if places else None


def _host_writes(cage: Cage) -> str | None:
    cage.ask("write", [str(cage.trap.folder)], "canary", True)
    return f"a program writes to {cage.trap.folder}" if cage.trap.written() else None


def _sockets(cage: Cage) -> str | None:
    return _allowed("it may open sockets", cage.ask("make_sockets"))


def _files(cage: Cage) -> str | None:
    home = Path.home()
    names = home.iterdir() if os.access(home, os.R_OK | os.X_OK) else ()
    at_home = sorted(str(each) for each in names if each.is_file())
    return _allowed("it may read", cage.ask("read", [*_FILES, *at_home[:_HOME_FILES]]))


def _descriptors(cage: Cage) -> str | None:
    return _allowed("it has descriptors of others", cage.ask("open_descriptors"))


def _processes(cage: Cage) -> str | None:
    executable = interpreter(cage.settings.python).executable
    return _allowed("it may start processes", cage.ask("start_processes", executable))


def _signals(cage: Cage) -> str | None:
    return _allowed("it may disturb others", cage.ask("disturb", os.getpid()))


def _writes(cage: Cage) -> str | None:
    prefix = interpreter(cage.settings.python).prefix
    folders = ["/", "/usr", "/usr/lib", "/dev", "/dev/shm", "/var/tmp", f"{prefix}/lib"]
    return _allowed("it may write to", cage.ask("write", folders, "potstill-canary", False))


def _memory_limit(cage: Cage) -> str | None:
    report = cage.run("hoard", _TOO_MUCH_MB)
    held = report.ending == "memory" or b'"MemoryError"' in report.values
    return None if held else f"a program had {_TOO_MUCH_MB} MiB with a limit of {_USUAL.memory_mb}"


def _time_limit(cage: Cage) -> str | None:
    report = cage.run("sleep", _TOO_LONG_SECONDS, limits=_SHORT)
    return None if report.ending == "wall" else f"a sleeping program is not stopped: {_how(report)}"


HONEST: Final[dict[str, Canary]] = {"honest_calls": _honest_calls, "honest_script": _honest_script}
MACHINE: Final[dict[str, Canary]] = {
    "network": _network,
    "host_files": _host_files,
    "environment": _environment,
    "host_writes": _host_writes,
}
INSIDE: Final[dict[str, Canary]] = {
    "sockets": _sockets,
    "files": _files,
    "descriptors": _descriptors,
    "processes": _processes,
    "signals": _signals,
    "writes": _writes,
    "memory_limit": _memory_limit,
    "time_limit": _time_limit,
}


def _allowed(what: str, found: Any) -> str | None:
    """A fault that names what a canary could do; an answer of another form is one as well."""
    return f"{what} ({', '.join(map(str, found))})" if found != [] else None


def _how(report: Report) -> str:
    """How a process ended, for a person."""
    events, errors = (text.decode("utf-8", "replace") for text in (report.values, report.stderr))
    told = (events.strip() or "nothing").splitlines()[0]
    told = errors.strip().splitlines()[-1] if errors.strip() else told
    return f"it ended by {report.ending} {report.code} and told {told!r:.200}"
