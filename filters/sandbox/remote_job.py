"""What a judging server with SandboxFusion's API is asked: one process as the body of `run_code`.

A Python program goes together with the modules of `inside/`, which do the same there as in the
sandbox of this machine. Its values leave on the server's stdout, whose size the server bounds, and
what the program itself prints goes to stderr: a file to be fetched could be replaced by a link to
something endless. A script keeps its own stdout. Programs in other languages are sent as they are.

Servers need only `code`, `stdin`, `language`, the two timeouts and the memory limit; what they do
not know they ignore. Expected values are in none of it.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Final

from .execution import Execution, RunnerMissing, Script
from .isolation import job_text

COMPILE_SECONDS: Final = 20.0
"""For languages that are compiled; a header-heavy C++ program takes 2 s here."""

_NAMES: Final = {
    "python": "python",
    "cpp": "cpp",
    "javascript": "nodejs",
    "java": "java",
    "rust": "rust",
    "go": "go",
    "bash": "bash",
}
"""Our names of languages and SandboxFusion's (`sandbox/runners/types.py`); it has no C."""

_INSIDE: Final = Path(__file__).with_name("inside")
_MODULES: Final = ("wires", "zygote", "python_job")
"""In an order in which each only imports those before it."""
_START: Final = """
import base64, json, os, sys, types

def _import(texts):
    # Make the modules of a package of these texts.
    sys.modules["inside"] = types.ModuleType("inside")
    for name, text in texts.items():
        module = sys.modules["inside." + name] = types.ModuleType("inside." + name)
        module.__package__ = "inside"
        exec(compile(text, name + ".py", "exec"), module.__dict__)

def _start(job_text):
    # Do one job in this process, which the server has isolated and limited.
    if os.environ.get("PYTHONHASHSEED") != "0":  # as here: fixed order of sets, no environment
        again = [sys.executable, "-s", "-B", os.path.abspath(sys.argv[0])]
        os.execve(sys.executable, again, {"PYTHONHASHSEED": "0", "PYTHONUTF8": "1"})
    os.environ.clear()
    from inside.python_job import MEMORY_EXIT, new_streams, run
    from inside.zygote import VALUES, limit
    job = json.loads(base64.b64decode(job_text))
    memory = job["limits"]["memory_mb"] << 20
    limit(job["limits"]["cpu_seconds"], {"RLIMIT_AS": memory, "RLIMIT_FSIZE": 16 << 20})
    if job["task"]["kind"] != "script":
        os.dup2(1, VALUES)
        os.dup2(2, 1)
    new_streams()
    try:
        status = run(job)
    except MemoryError:
        status = MEMORY_EXIT
    os._exit(status)

"""


def request_body(execution: Execution) -> bytes:
    """The body of the request.

    Raises:
        RunnerMissing: the server cannot run that language or task.
    """
    language = _NAMES.get(execution.language)
    if language is None:
        raise RunnerMissing(f"a SandboxFusion server has no runner for {execution.language}")
    if language != "python" and not isinstance(execution.task, Script):
        raise RunnerMissing(f"only whole programs can be run in {execution.language}, not calls")
    request = {
        "code": _python(execution) if language == "python" else _sendable(execution.code),
        "language": language,
        "stdin": execution.task.stdin if isinstance(execution.task, Script) else "",
        "compile_timeout": COMPILE_SECONDS,
        "run_timeout": execution.limits.wall_seconds,
        "memory_limit_MB": execution.limits.memory_mb,
    }
    return json.dumps(request).encode()


def _sendable(code: str) -> str:
    """Without halves of surrogate pairs, which are no text: a server would refuse the request."""
    return code.encode("utf-8", "replace").decode()


def _python(execution: Execution) -> str:
    job = base64.b64encode(job_text(execution)).decode()
    texts = {name: _INSIDE.joinpath(f"{name}.py").read_text("utf-8") for name in _MODULES}
    return f"{_START}_import({texts!r})\n_start({job!r})\n"
