r"""Is the program right? It is run on the cases of its key, in a sandbox.

    code: {score: all, cpu_seconds: 5}

The key (`answer`) is JSON: calls with the values expected, inputs with the outputs expected, or
asserts (`programs/keys.py`). The program is the last fenced block behind the thought
(`programs/program.py`). What was expected never enters the sandbox: programs are hostile, so they
only get inputs, and their values are compared out here.

1.0 is `pass`. What the program, or who wrote it, did not do is 0.0 with its reason, or the share of
cases passed. Unknown is what the sandbox, the key or the machine is to blame for. Before any
program is run, canaries show that the sandbox holds; if it does not, judging stops.
"""

from __future__ import annotations

import atexit
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field, field_validator, model_validator

from ..pipeline.filter import Judge, JudgeContext, Limits, RowFilter, brief
from ..pipeline.outcome import Done, Outcome, OutOfMemory, TimedOut
from ..pipeline.references import Execution
from ..pipeline.sample import Sample, new_sample
from ..pipeline.verdict import Json, Verdict
from .programs.accepting import accepting_program
from .programs.checks import Check, StdioCheck, UnreadableKey
from .programs.keys import read_key
from .programs.language_tags import language_of
from .programs.outcomes import Rules, Score, Trial
from .programs.printed import Whitespace
from .programs.program import NO_PROGRAM, Program, Which, find_program
from .programs.runs import LONGEST, Runs
from .programs.trial import try_program
from .sandbox.backends import isolation_of, open_sandbox
from .sandbox.canaries import ensure_isolated
from .sandbox.execution import Limits as ProcessLimits
from .sandbox.execution import RunnerMissing, Sandbox, SandboxFault
from .sandbox.interpreter import interpreter
from .sandbox.settings import Backend, Mode, Settings

_WIRE_PER_CHARACTER: Final = 20
"""A value is at most so many times as long on the wire as in a key: `1,` may come as a float."""
_PLAIN: Final = "```\npass\n```"
"""A program that nothing could be too much for."""


class Code(RowFilter):
    """1.0 if the program passes every case of its key (or the share that it passes), else 0.0."""

    kind: ClassVar[str] = "code"
    reasons: ClassVar[frozenset[str]] = NO_PROGRAM | {
        "pass",
        "wrong",
        "runtime_error",  # it raised, does not compile, lacks the entry point, or ended badly
        "no_result",  # it ended by itself before it had given all values
        "timeout",
        "output_limit",
        "memory",
        "protocol_violation",  # it wrote where only the harness writes
        "no_key",
        "unreadable_key",
        "runner_missing",
        "sandbox_error",
    }

    score: Score = "all"
    blocks: Which = "last"
    language: str = "python"
    """Of programs whose key names none."""
    cpu_seconds: int = Field(default=5, ge=1)
    """CPU time of one process; all calls of a key run in one."""
    wall_seconds: float = Field(default=20.0, gt=0)
    """A net for one process that sleeps or waits."""
    memory_mb: int = Field(default=512, ge=64)
    output_kb: int = Field(default=256, ge=1)
    """Of each stream, beside the room for what is expected."""
    packages: tuple[str, ...] = ()
    """Installed packages that programs may import beside the standard library, such as numpy."""
    whitespace: Whitespace = "lines"
    float_tolerance: float = Field(default=0.0, ge=0, lt=1, allow_inf_nan=False)
    backend: Backend = "bubblewrap"
    unsafe_no_isolation: str | None = None
    """Runs programs without any isolation, if it is the sentence that `backends.py` asks for."""
    mode: Annotated[Mode, Execution()] = "warm"
    remote_url: Annotated[str | None, Execution()] = None
    remote_key_env: Annotated[str | None, Execution()] = None
    """The name of the environment variable that holds the key."""
    python: Annotated[str | None, Execution()] = None
    """The interpreter inside; its version is identity."""

    @field_validator("language")
    @classmethod
    def _is_a_language(cls, language: str) -> str:
        if not (name := language_of(language)):
            raise ValueError(f"language is {language!r}; expected a name such as python or cpp")
        return name

    @model_validator(mode="after")
    def _accepts_no_isolation_in_full(self) -> Code:
        isolation_of(self.settings())
        return self

    def settings(self) -> Settings:
        """What the sandbox is made with."""
        return Settings(
            backend=self.backend,
            mode=self.mode,
            packages=self.packages,
            python=self.python,
            remote_url=self.remote_url,
            remote_key_env=self.remote_key_env,
            unsafe_no_isolation=self.unsafe_no_isolation,
        )

    def identity(self, digest: Callable[[str], str] | None = None) -> dict[str, Any]:
        """All that decides the verdicts; the version of Python too, where it is known from here."""
        found = super().identity() if digest is None else super().identity(digest)
        if self.backend == "bubblewrap":
            found["python"] = interpreter(self.python).version
        return found

    def open(self, context: JudgeContext) -> AbstractContextManager[Judge]:
        ensure_isolated(self.settings(), context.step.progress.note if context.step else None)
        return super().open(context)

    def limits(self) -> Limits:
        """Of the judging side; the wall net of 60 times the CPU time must outlast the programs."""
        waiting = LONGEST * self.wall_seconds / 30
        return Limits(cpu_seconds=max(30.0, waiting), memory_mb=2048)

    def warm(self) -> None:
        _sandbox(self.settings())

    def answering(self, key: str) -> str | None:
        """A completion whose program gives what `key` expects; None: none can be made."""
        check = read_key(key)
        if isinstance(check, UnreadableKey):
            return ""
        program = accepting_program(check)
        if program is None or self._language_of(check) != "python":
            return None
        longest = max(map(len, re.findall("`+", program)), default=0)
        fence = "`" * max(3, longest + 1)
        return f"{fence}python\n{program}\n{fence}"

    def judge_one(self, sample: Sample) -> Verdict:
        if sample.answer is None or not sample.answer.strip():
            return Verdict(None, "no_key")
        check = read_key(sample.answer)
        if isinstance(check, UnreadableKey):
            return Verdict(None, "unreadable_key", {"detail": check.detail})
        language = self._language_of(check)
        entry_point = None if isinstance(check, StdioCheck) else check.entry_point
        program = find_program(sample, language, self.blocks, entry_point)
        if isinstance(program, Verdict):
            return program
        evidence = program.evidence() | {"language": language}
        try:
            trial = self._tried(program, check, language, len(sample.answer))
        except RunnerMissing as error:
            return Verdict(None, "runner_missing", evidence | {"detail": str(error)})
        except SandboxFault:  # its message may tell of this machine
            return Verdict(None, "sandbox_error", evidence)
        return self._verdict(trial, evidence)

    def _language_of(self, check: Check) -> str:
        return self.language if check.language is None else language_of(check.language)

    def _tried(self, program: Program, check: Check, language: str, key_length: int) -> Trial:
        limits = ProcessLimits(self.cpu_seconds, self.wall_seconds, self.memory_mb, self.output_kb)
        runs = Runs(_sandbox(self.settings()), language, limits)
        rules = Rules(self.score, self.whitespace, self.float_tolerance)
        room_kb = _WIRE_PER_CHARACTER * key_length // 1024
        return try_program(program.code, check, rules, runs, room_kb)

    def _verdict(self, trial: Trial, evidence: dict[str, Json]) -> Verdict:
        evidence |= {
            "cases": trial.cases,
            "passed": trial.passed,
            "checked": "in_process" if trial.in_process else "outside",
        }
        if trial.first is None:
            return Verdict(1.0, "pass", evidence)
        number, failed = trial.first
        told: dict[str, Json] = {"case": number, "outcome": failed.reason}
        score = trial.passed / trial.cases if self.score == "share" else 0.0
        return Verdict(score, failed.reason, evidence | {"failed": told | failed.detail})

    def control(self, sample: Sample) -> Sample | None:
        return new_sample((), completion=_PLAIN, answer=sample.answer)

    def failed(
        self, sample: Sample, outcome: Outcome[Verdict], control: Outcome[Verdict] | None
    ) -> Verdict:
        told: dict[str, Json] = {"detail": brief(outcome)}
        hungry = isinstance(outcome, TimedOut | OutOfMemory)
        if hungry and isinstance(control, Done) and control.value.score is not None:
            return Verdict(0.0, "output_limit", told)  # its values were too much to read
        return Verdict(None, "sandbox_error", told)


@cache
def _sandbox(settings: Settings) -> Sandbox:
    """This process's own, which ends with it."""
    sandbox = open_sandbox(settings).__enter__()
    atexit.register(sandbox.__exit__, None, None, None)
    return sandbox
