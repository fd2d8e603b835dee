"""Programs on a judging server over HTTP: any that has SandboxFusion's API (`POST /run_code`).

The server isolates and limits; the canaries at the start of a judging step ask it whether it does.
What it answers is hostile twice over, since a program may have written most of it: it is read
strictly, and an answer that is not whole, too large or contradicts itself is the sandbox's fault
and nobody's score. Every program is alone there.

A server tells less than a sandbox of our own: whether a program died of memory is known from Python
programs only, and a process that a shell reports as 128 + n is taken to have died by signal n.
"""

from __future__ import annotations

import signal
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .execution import Ending, Execution, Report, SandboxFault, Script
from .inside.python_job import MEMORY_EXIT
from .remote_http import JudgingServer
from .remote_job import COMPILE_SECONDS, request_body

QUEUE_SECONDS: Final = 30.0
"""What a server may take beside the program's own time."""
SERVER_OUTPUT: Final = 1 << 20
"""Bytes at which SandboxFusion cuts a stream without saying so (`sandbox/runners/base.py`)."""

_HIGHEST_SIGNAL: Final = 64
_DETAIL: Final = 200


class _Process(BaseModel):
    """What the server says of compiling or running; SandboxFusion's `CommandRunResult`."""

    model_config = ConfigDict(strict=True, extra="ignore")

    status: Literal["Finished", "Error", "TimeLimitExceeded"]
    return_code: Annotated[int, Field(ge=-_HIGHEST_SIGNAL, le=255)] | None = None
    stdout: str | None = None
    stderr: str | None = None


class _Answer(BaseModel):
    """SandboxFusion's `RunCodeResponse`, as far as it is used."""

    model_config = ConfigDict(strict=True, extra="ignore")

    status: Literal["Success", "Failed", "SandboxError"]
    message: str
    compile_result: _Process | None = None
    run_result: _Process | None = None


class RemoteSandbox:
    """A `Sandbox` on a server.

    Args:
        url: http or https, up to the path that `/run_code` is added to.
        key_env: name of the environment variable with the key, sent as a bearer token.

    Raises:
        RequestError: the address or the key is of no use.
    """

    def __init__(self, url: str, key_env: str | None = None) -> None:
        self._server = JudgingServer(url, key_env)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is held: the server makes an isolation for every program."""

    def execute(self, execution: Execution, *, alone: bool = False) -> Report:
        """Run a program; see `execution.Sandbox`. Every one is alone anyway."""
        compiling = 0.0 if execution.language == "python" else COMPILE_SECONDS
        seconds = execution.limits.wall_seconds + compiling + QUEUE_SECONDS
        answer = self._read(self._server.post(request_body(execution), seconds))
        if answer.status == "SandboxError":
            raise self._fault(f"SandboxError {answer.message!r:.{_DETAIL}}")
        return self._report(execution, self._last(answer))

    def _read(self, body: bytes) -> _Answer:
        try:
            return _Answer.model_validate_json(body)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False, include_context=False)[0]
            place = ".".join(map(str, first["loc"])) or "the body"
            raise self._fault(f"{place}: {first['msg']:.{_DETAIL}}") from None

    def _last(self, answer: _Answer) -> _Process:
        """The process that decides: the program's, or a compiler's that did not end well."""
        compiled, ran = answer.compile_result, answer.run_result
        if compiled is not None and (compiled.status != "Finished" or compiled.return_code != 0):
            if ran is not None:
                raise self._fault("the program was run though it was not compiled")
            return compiled
        if ran is None:
            raise self._fault("no run_result")
        return ran

    def _report(self, execution: Execution, process: _Process) -> Report:
        most = min(execution.limits.output_kb << 10, SERVER_OUTPUT - 1)
        out, err = ((text or "").encode() for text in (process.stdout, process.stderr))
        ending, code = self._ending(process, execution.language == "python")
        if len(out) > most or len(err) > most:
            ending, code = "output", 0
        if execution.language == "python" and not isinstance(execution.task, Script):
            return Report(ending, code, b"", err[:most], out[:most])
        return Report(ending, code, out[:most], err[:most])

    def _ending(self, process: _Process, is_python: bool) -> tuple[Ending, int]:
        code = process.return_code
        if process.status == "TimeLimitExceeded":
            return "wall", 0
        if process.status == "Error" or code is None:
            raise self._fault(f"status {process.status}, return_code {code}")
        number = -code if code < 0 else code - 128
        if number == signal.SIGXCPU:
            return "cpu", 0
        if is_python and code == MEMORY_EXIT:
            return "memory", 0
        return ("signal", number) if 0 < number <= _HIGHEST_SIGNAL else ("exit", code)

    def _fault(self, told: str) -> SandboxFault:
        return SandboxFault(f"{self._server.name}: {told}")
