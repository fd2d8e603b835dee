"""A served model that votes by a script: a function of what it is shown and how often it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from faulty_server import FaultyServer
from workbench import problem

from potstill.filters.votes import Votes
from potstill.pipeline.sample import Sample
from potstill.pipeline.stage import Context
from potstill.pipeline.verdict import Verdict

Script = Callable[[str, int], str]
"""The voter's answer to a text, the n-th time that a different request shows it."""


def verdict(word: str, reason: str = "because") -> str:
    return f'<think>\nHm.\n</think>\n{{"verdict": "{word}", "reason": "{reason}"}}'


def always(answer: str) -> Script:
    return lambda text, number: answer


def one_by_one(*answers: str) -> Script:
    """The first vote on a text is the first answer, and so on."""
    return lambda text, number: answers[number]


@dataclass
class VotingServer(FaultyServer):
    script: Script = field(default_factory=lambda: always(verdict("correct")))
    finish_reason: str = "stop"
    _known: dict[str, tuple[str, int]] = field(default_factory=dict)

    def answer(self, body: dict[str, Any], name: str) -> dict[str, Any]:
        text = body["messages"][-1]["content"]
        if name not in self._known:
            earlier = sum(shown == text for shown, _ in self._known.values())
            self._known[name] = (text, earlier)
        told = super().answer(body, name)
        choice = told["choices"][0]
        choice["message"]["content"] = self.script(*self._known[name])
        choice["finish_reason"] = self.finish_reason
        return told

    def shown(self) -> list[str]:
        """The last turn of every request."""
        return [body["messages"][-1]["content"] for body in self.bodies]


def votes(server: VotingServer, **more: Any) -> Votes:
    """The filter with this server as its voter; three votes unless told otherwise."""
    teacher = {"base_url": server.url, "model": "r1", "timeout_s": 2.0, **more.pop("teacher", {})}
    given = {"votes": 3, "sampling": {"max_tokens": 50}, **more}
    return Votes.model_validate({"teacher": teacher, **given})


def answered(number: int = 4) -> list[Sample]:
    """Different problems with an answer each."""
    return [problem(f"{n} + 1?", f"<think>\n…\n</think>\n{n + 1}") for n in range(number)]


def judged(judging: Votes, context: Context, rows: list[Sample]) -> list[Verdict]:
    with judging.open(context.judging) as judge:
        return judge.judge(rows)
