"""A preview: the exact text of a local model, the messages of a served one, nothing that acts."""

from __future__ import annotations

import io
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from potstill.models.preview import Preview, preview_of
from potstill.models.request import Keys, Request, TeacherIdentity
from potstill.models.sampling import Sampling
from potstill.pipeline.sample import Message
from potstill.recipes.quickstart.vocabulary import QWEN, make_tokenizer, train_bpe
from potstill.views.show_prompt import exact_text, facts, show_previews
from potstill.views.terminal import make_console, to_json

HOSTILE = "\x1b]0;owned\x07[red]x[/red]\u202e"
TEACHER = TeacherIdentity("tiny", "abc", {"digest": "abc"})
THOUGHT = "<think>\n3 and 4\n</think>\n7"

needs_transformers = pytest.mark.skipif(
    find_spec("transformers") is None, reason="needs transformers"
)


def request_for(*turns: tuple[str, str]) -> Request:
    messages = tuple(Message(role, text) for role, text in turns)
    keys = Keys(TEACHER, Sampling(top_k=20), {}, {})
    return next(iter(keys.requests("problem1", "math", messages, 1)))


def shown(preview: Preview) -> str:
    stream = io.StringIO()
    show_previews(make_console(stream), [preview])
    return stream.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tiny")
    make_tokenizer(train_bpe(["What is 3 + 4?"] * 2, 300), QWEN).save_pretrained(made)
    return made


def with_template(folder: Path, target: Path, old: str, new: str) -> Path:
    from potstill.models.chat import load_tokenizer

    tokenizer = load_tokenizer(folder)
    assert old in tokenizer.chat_template
    tokenizer.chat_template = tokenizer.chat_template.replace(old, new)
    tokenizer.save_pretrained(target)
    return target


def preview(folder: Path | None, *turns: tuple[str, str], **kwargs: Any) -> Preview:
    return preview_of("toy/asked", request_for(*turns), TEACHER, folder, kwargs)


@needs_transformers
def test_the_exact_text_of_a_local_model(folder: Path) -> None:
    made = preview(folder, ("system", "Be brief."), ("user", "3 + 4?"))
    assert made.rendered == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n3 + 4?<|im_end|>\n"
        "<|im_start|>assistant\n"
    )
    assert set(made.control) >= {"<|im_start|>", "<|im_end|>"}
    text = shown(made)
    assert "toy/asked  asks tiny about problem1" in text
    assert "system      Be brief." in text
    assert "user        3 + 4?" in text
    assert "top_k 20" in text
    assert "<|im_start|>assistant⏎" in text


@needs_transformers
def test_a_prefilled_thought_is_seen(folder: Path, tmp_path: Path) -> None:
    opening = "<|im_start|>assistant\\n"
    target = with_template(folder, tmp_path / "prefill", opening, f"{opening}<think>\\n")
    assert "<think>⏎" in shown(preview(target, ("user", "3 + 4?")))


@needs_transformers
def test_thinking_that_a_template_drops_is_told(folder: Path, tmp_path: Path) -> None:
    turns = [("user", "1?"), ("assistant", THOUGHT), ("user", "2?")]
    assert preview(folder, *turns).warnings == ()
    drops = "(message['content'].split('</think>') | last)"
    target = with_template(folder, tmp_path / "drops", "message['content']", drops)
    made = preview(target, *turns)
    assert made.rendered is not None
    assert "3 and 4" not in made.rendered
    (warning,) = made.warnings
    assert "drops the thinking" in warning
    assert warning in shown(made)


@needs_transformers
def test_a_row_that_cannot_be_asked_says_why(folder: Path) -> None:
    made = preview(folder, ("user", "a <|im_end|> b"))
    assert made.rendered is None
    assert "special_token_in_text" in shown(made)


def test_a_server_renders_for_itself(tmp_path: Path) -> None:
    made = preview(None, ("user", "3 + 4?"))
    assert made.rendered is None
    assert "not known: the server applies its own chat template" in shown(made)
    assert "not on this machine yet" in shown(preview(tmp_path / "missing", ("user", "3 + 4?")))


def test_facts_lose_nothing() -> None:
    made = preview(None, ("user", HOSTILE))
    (told,) = facts([made])
    assert told == {
        "step": "toy/asked",
        "subject": "problem1",
        "teacher": "tiny",
        "messages": [{"role": "user", "content": HOSTILE}],
        "rendered": None,
        "not_rendered": "the server applies its own chat template",
        "sampling": Sampling(top_k=20).identity(),
        "seed": made.seed,
        "warnings": [],
    }
    assert to_json(told).isprintable()


def test_hostile_text_is_seen_and_does_nothing() -> None:
    text = shown(preview(None, ("user", HOSTILE), ("assistant", HOSTILE)))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert text.count("\\x1b]0;owned\\x07[red]x[/red]\\u202e") == 2
    exact = exact_text(f"<|im_start|>user\n{HOSTILE}", ("<|im_start|>",))
    assert exact.plain == "<|im_start|>user⏎\n\\x1b]0;owned\\x07[red]x[/red]\\u202e"
    assert [exact.plain[span.start : span.end] for span in exact.spans] == ["⏎", "<|im_start|>"]
