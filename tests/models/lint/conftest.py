"""Tokenizers with any chat template, and rows to lint them with."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from potstill.models.lint import Report, lint_rows
from potstill.pipeline.sample import Message, Sample, new_sample, with_ids
from potstill.recipes.quickstart.vocabulary import QWEN, Family, make_tokenizer, train_bpe

pytestmark = pytest.mark.skipif(find_spec("transformers") is None, reason="needs transformers")

ASK = Message("user", "What is 3 + 4?")
THOUGHT = "<think>\n3 + 4 = 7\n</think>\nThe answer is 7."
_TOKENS = re.compile(
    r"<[|｜][^<>\s|｜]{1,40}[|｜]>|<\|?(?:start_of_|end_of_)?turn\|?>|<(?:start|end)_of_turn>"
    r"|<\|?channel\|?>|<end_of_utterance>|\[/?INST\]"
)


@pytest.fixture(scope="session")
def bpe() -> str:
    return train_bpe(["What is 3 + 4? The answer is 7."] * 2, 300)


@pytest.fixture(scope="session")
def tokenizer_with(bpe: str) -> Callable[..., Any]:
    """A tokenizer with a chat template and the control tokens that stand in it."""

    def make(
        template: str | None, eos: str = "<eos>", pad: str = "<pad>", bos: str = "<bos>"
    ) -> Any:
        mentioned = sorted(set(_TOKENS.findall(template or "")) - {eos, pad, bos})
        tokenizer = make_tokenizer(bpe, Family(template or "x", eos, pad, bos, tuple(mentioned)))
        tokenizer.chat_template = template
        return tokenizer

    return make


@pytest.fixture(scope="session")
def trl_template() -> Callable[[str], str]:
    spec = find_spec("trl")
    if spec is None or spec.origin is None:
        pytest.skip("needs trl: its chat templates are the real ones")
    folder = Path(spec.origin).parent / "chat_templates"
    return lambda name: (folder / f"{name}.jinja").read_text(encoding="utf-8")


def rows_of(*conversations: tuple[Sequence[Message], str | None]) -> list[Sample]:
    """Samples with ids of prompts and completions."""
    return list(with_ids(new_sample(tuple(p), completion=c) for p, c in conversations))


@pytest.fixture(scope="session")
def single() -> list[Sample]:
    """One question, thought about and answered."""
    return rows_of(([ASK], THOUGHT))


@pytest.fixture(scope="session")
def several(single: list[Sample]) -> list[Sample]:
    """Single and multi-turn, with and without a system message, with white space around texts."""
    history = [ASK, Message("assistant", THOUGHT), Message("user", "And 5 + 5?")]
    return [
        *single,
        *rows_of(
            ([Message("system", "Be brief."), ASK], THOUGHT),
            ([Message("user", "  Hi there ")], THOUGHT + "\n"),
            (history, "<think>\nten\n</think>\n\n10"),
        ),
    ]


@pytest.fixture(scope="session")
def found() -> Callable[..., dict[str, int]]:
    """Lint, and tell `severity check` with the number of rows (0: the model)."""

    def look(tokenizer: Any, rows: Sequence[Any], *hidden: str, **options: Any) -> dict[str, int]:
        return summary(lint_rows(tokenizer, rows, **options), *hidden)

    return look


def summary(report: Report, *hidden: str) -> dict[str, int]:
    return {
        f"{severity} {check}": len(kind.rows)
        for (check, severity), kind in report.found.items()
        if check not in hidden
    }


@pytest.fixture(scope="session")
def chatml(tokenizer_with: Callable[..., Any]) -> Any:
    """The quickstart's Qwen tokenizer, in which nothing is wrong."""
    return tokenizer_with(QWEN.template, QWEN.eos, QWEN.pad, "<bos>")
