"""The set-up brings bubblewrap where it can, says loudly where it cannot, and never fails for it.

With stand-ins for apt-get and dpkg-deb; nothing is downloaded.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "setup.py"


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, on a machine whose PATH has what `tool` puts there."""
    spec = importlib.util.spec_from_file_location("setup_script", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "bin").mkdir()
    (tmp_path / "venv").mkdir()
    monkeypatch.setattr(module, "PYTHON", tmp_path / "venv" / "python")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return module


def tool(folder: Path, name: str, script: str) -> None:
    path = folder / "bin" / name
    path.write_text(f"#!/bin/sh\necho {name} $@ >> {folder}/calls\n{script}\n")
    path.chmod(0o755)


def calls(folder: Path) -> list[str]:
    return (folder / "calls").read_text().splitlines() if (folder / "calls").exists() else []


def test_one_that_is_here_is_kept(setup: ModuleType, tmp_path: Path) -> None:
    tool(tmp_path, "bwrap", "")
    tool(tmp_path, "apt-get", "")
    setup._install_bubblewrap()
    assert calls(tmp_path) == []


def test_root_gets_the_package(
    setup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the lists of packages are old, they are fetched first."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    tool(tmp_path, "apt-get", f"[ $1 = update ] || grep -q update {tmp_path}/calls")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setattr(setup.shutil, "which", lambda name, path=None: name == "apt-get" or None)
    setup._install_bubblewrap()
    assert [call.split()[1] for call in calls(tmp_path)] == ["install", "update", "install"]


def test_others_get_the_program(
    setup: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    tool(tmp_path, "apt-get", "echo > bubblewrap_1_amd64.deb")
    program = (
        "mkdir -p $3/usr/bin; printf '#!/bin/sh\\n' > $3/usr/bin/bwrap; chmod 755 $3/usr/bin/bwrap"
    )
    tool(tmp_path, "dpkg-deb", f"PATH=/usr/bin:/bin; {program}")
    setup._install_bubblewrap()
    assert os.access(tmp_path / "venv" / "bwrap", os.X_OK)
    assert [call.split()[1] for call in calls(tmp_path)] == ["download", "-x"]
    assert "NOT installed" not in capsys.readouterr().out
    setup._install_bubblewrap()
    assert len(calls(tmp_path)) == 2


@pytest.mark.parametrize("has_apt", [True, False])
def test_where_it_cannot_be_had_it_is_said(
    setup: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], has_apt: bool
) -> None:
    if has_apt:
        tool(tmp_path, "apt-get", "exit 100")
    setup._install_bubblewrap()
    told = capsys.readouterr().out
    assert "bubblewrap is NOT installed" in told
    assert "apt install bubblewrap" in told
