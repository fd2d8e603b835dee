"""What can be imported here and which GPUs there are, found by trying it in processes of their own.

Importing torch or vllm takes seconds and may crash; so `doctor` learns it from here and imports
nothing heavy itself.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence

TIMEOUT_SECONDS = 180
"""vLLM takes up to half a minute to import on a busy machine."""

_IMPORTER = """
import importlib, json, sys
found = {}
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
        found[name] = None
    except BaseException as error:
        found[name] = f"{type(error).__name__}: {error}"
print()
print(json.dumps(found))
"""


def try_imports(modules: Sequence[str]) -> dict[str, str | None]:
    """Import each module, in order, in one fresh process; None, or what went wrong, by module."""
    quiet = {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "VLLM_LOGGING_LEVEL": "ERROR"}
    command = [sys.executable, "-c", _IMPORTER, *modules]
    code, output = _run(command, {**os.environ, **quiet})
    try:
        found = json.loads(output.splitlines()[-1])
        return {name: _first_line(found[name]) for name in modules}
    except (IndexError, KeyError, ValueError):
        return {name: f"the importing process ended with code {code}" for name in modules}


def find_gpus() -> list[str]:
    """Names of the NVIDIA GPUs that the driver shows; empty without a driver."""
    if shutil.which("nvidia-smi") is None:
        return []
    query = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
    code, output = _run(query, dict(os.environ))
    return [line.strip() for line in output.splitlines() if line.strip()] if code == 0 else []


def _run(command: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str]:
    """Exit code and output; stderr stands in for an empty stdout."""
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=TIMEOUT_SECONDS
        )
    except subprocess.TimeoutExpired:
        return -1, f"no answer in {TIMEOUT_SECONDS} s"
    except OSError as error:
        return -1, str(error)
    return done.returncode, done.stdout if done.stdout.strip() else done.stderr


def _first_line(text: str | None) -> str | None:
    lines = (text or "").strip().splitlines()
    return lines[0][:200] if lines else None
