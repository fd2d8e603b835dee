"""What really works here, found by trying it in processes of their own.

Importing torch or vllm takes seconds and may crash, and an isolation that is only installed may
isolate nothing; so `doctor` learns both from here and imports nothing heavy itself.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

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

_CANARY = """
import json, socket, sys
secret, port = sys.argv[1], int(sys.argv[2])
try:
    open(secret).close()
    reads = True
except OSError:
    reads = False
try:
    socket.create_connection(("127.0.0.1", port), timeout=2).close()
    connects = True
except OSError:
    connects = False
print(json.dumps({"reads a file of the host": reads, "opens a connection": connects}))
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


def sandbox_fault() -> str | None:
    """Run a canary under bubblewrap that must see no file of the host and reach no network.

    None when it ran and was held; otherwise what went wrong.
    """
    with tempfile.TemporaryDirectory(prefix="potstill-canary-") as folder, socket.socket() as ear:
        secret = Path(folder) / "secret"
        secret.write_text("a host's file")
        ear.bind(("127.0.0.1", 0))
        ear.listen()
        inside = [sys.executable, "-I", "-S", "-c", _CANARY, str(secret), str(ear.getsockname()[1])]
        code, output = _run([*_bubblewrap(), *inside], {})
    try:
        escapes = [name for name, happened in json.loads(output).items() if happened]
    except ValueError:
        return f"bwrap ended with code {code}: {_first_line(output) or 'no output'}"
    return f"a program inside {' and '.join(escapes)}" if escapes else None


def _bubblewrap() -> list[str]:
    places = ["/usr", "/lib", "/lib64", "/bin", sys.base_prefix, sys.prefix]
    binds = [word for place in places for word in ("--ro-bind-try", place, place)]
    return [
        shutil.which("bwrap") or "bwrap",
        *("--unshare-all", "--unshare-user", "--die-with-parent", "--new-session"),
        *("--dev", "/dev", "--tmpfs", "/tmp"),
        *binds,
    ]


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
