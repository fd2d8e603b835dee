"""What a student's tokenizer is given, and what is refused; nothing is trained here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from potstill.catalog import CATALOG
from potstill.models.chat import encode, render_example
from potstill.pipeline.errors import RequestError
from potstill.pipeline.plan import make_plan
from potstill.pipeline.recipe import load_recipe
from potstill.pipeline.sample import Message
from potstill.train.settings import StudentSettings
from potstill.train.students.presets import PRESETS, fitting_preset
from potstill.train.students.tokenizer import Changes, student_tokenizer

MakeTokenizer = Callable[..., Any]
Open = Callable[..., tuple[Any, Changes]]

ASKED = (Message("system", "Be brief."), Message("user", " 1 + 1 = ? "))
THOUGHT = "<think>\n2\n</think>\nIt is 2. "
RENDERED = {
    "qwen": (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n 1 + 1 = ? <|im_end|>\n"
        f"<|im_start|>assistant\n{THOUGHT}<|im_end|>"
    ),
    "llama3": (
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\n 1 + 1 = ? <|eot_id|>"
        f"<|start_header_id|>assistant<|end_header_id|>\n\n{THOUGHT}<|eot_id|>"
    ),
    "deepseek": (
        "<｜begin▁of▁sentence｜>Be brief.<｜User｜> 1 + 1 = ? "
        f"<｜Assistant｜>{THOUGHT}<｜end▁of▁sentence｜>"
    ),
}
CHATML = PRESETS["qwen"].template


@pytest.fixture
def opened(tmp_path: Path, base_tokenizer: MakeTokenizer) -> Open:
    """A base's tokenizer, saved and opened as a student's."""

    def make(
        family: str = "qwen",
        *,
        own_template: str | None = None,
        rows: int | None = None,
        lacking: int = 0,
        file: str | None = None,
        names: dict[str, str | None] | None = None,
        **settings: Any,
    ) -> tuple[Any, Changes]:
        tokenizer = base_tokenizer(family, **(names or {}))
        tokenizer.chat_template = own_template
        tokenizer.save_pretrained(tmp_path / "base")
        if file is not None:
            (tmp_path / "chat.jinja").write_text(file)
            settings["template"] = "./chat.jinja"
        template = tmp_path / "chat.jinja" if file is not None else None
        if lacking:
            rows = len(tokenizer) - lacking
        given = StudentSettings(**settings)
        return student_tokenizer(tmp_path / "base", given, template, rows)

    return make


@pytest.mark.parametrize("family", sorted(PRESETS))
def test_a_base_is_given_the_template_of_its_family(opened: Open, family: str) -> None:
    """It shows every text as written, thinking too, and the end of turn is trained once."""
    tokenizer, changes = opened(family)
    preset = PRESETS[family]
    assert changes.template == family == fitting_preset(tokenizer)
    assert tokenizer.eos_token == preset.end_of_turn
    assert changes.added == (("<|pad|>",) if family == "deepseek" else ())
    example = render_example(tokenizer, ASKED, THOUGHT)
    assert example.text == RENDERED[family]
    assert example.agreement == "same"
    assert example.labels.count(tokenizer.eos_token_id) == 1
    assert set(preset.tokens) <= set(tokenizer.convert_ids_to_tokens(list(changes.trained)))


PADDED = [
    # family, what the tokenizer pads with, what the student pads with
    ("qwen", None, "<|endoftext|>"),
    ("qwen", "<|endoftext|>", "<|endoftext|>"),
    ("qwen", "<|im_end|>", "<|endoftext|>"),
    ("llama3", None, "<|finetune_right_pad_id|>"),
    ("llama3", "<|eot_id|>", "<|finetune_right_pad_id|>"),
    ("llama3", "<|end_of_text|>", "<|end_of_text|>"),
    ("deepseek", "<｜end▁of▁sentence｜>", "<|pad|>"),
]


@pytest.mark.parametrize(("family", "own", "pad"), PADDED)
def test_padding_ends_no_turn(opened: Open, family: str, own: str | None, pad: str) -> None:
    tokenizer, changes = opened(
        family, own_template=PRESETS[family].template, names={"pad_token": own}
    )
    assert tokenizer.pad_token == pad
    assert tokenizer.pad_token_id != encode(tokenizer, PRESETS[family].end_of_turn)[0]
    assert changes.pad == (None if own == pad else pad)
    assert changes.any is (own != pad)


def test_a_usable_template_is_kept(opened: Open) -> None:
    """Though another family's tokens are in the vocabulary: what the model brings counts."""
    own = CHATML.replace("system", "System")
    for wanted in ("auto", "keep"):
        tokenizer, changes = opened(
            own_template=own, names={"pad_token": "<|endoftext|>"}, template=wanted
        )
        assert tokenizer.chat_template == own
        assert tokenizer.eos_token == "<|endoftext|>"  # the folder's own; generation stops at both
        assert not changes.any
        assert changes.notes == []


def test_a_template_that_ends_no_turn_is_replaced(opened: Open) -> None:
    tokenizer, changes = opened(own_template="{{ messages[-1]['content'] }}")
    assert (changes.template, tokenizer.chat_template) == ("qwen", CHATML)
    assert "a chat template (qwen)" in changes.notes[0]


def test_a_template_of_the_users(opened: Open) -> None:
    tokenizer, changes = opened("none", file=CHATML.replace("<|im_end|>", "</s>"))
    assert changes.template == "file"
    assert tokenizer.eos_token == "</s>"
    assert render_example(tokenizer, ASKED, THOUGHT).text.endswith("It is 2. </s>")


def test_control_tokens_that_a_vocabulary_lacks_are_added(opened: Open) -> None:
    tokenizer, changes = opened("none", template="qwen", rows=400)
    assert set(changes.added) == {"<|im_end|>", "<|im_start|>", "<|pad|>"}
    assert all(len(encode(tokenizer, token)) == 1 for token in changes.added)
    assert changes.first == changes.trained[0] == min(encode(tokenizer, "".join(changes.added)))
    assert set(changes.added) <= set(tokenizer.all_special_tokens) | {"<|im_start|>"}


def test_added_tokens_are_one_token_and_stay_visible(opened: Open) -> None:
    tokenizer, changes = opened(add_tokens=["<think>", "</think>", "<|im_end|>"])
    assert changes.added == ("<think>", "</think>")  # the third was there
    ids = encode(tokenizer, "<think>2</think>")
    assert [ids[0], ids[-1]] == list(range(changes.first or 0, len(tokenizer)))
    assert tokenizer.decode(ids, skip_special_tokens=True) == "<think>2</think>"


REFUSED = [
    # tokenizer, settings, what the message says
    ({"family": "none"}, {}, r"shows no family.*deepseek, llama3, qwen.*\./chat\.jinja"),
    ({}, {"template": "keep"}, "without a chat template"),
    ({"own_template": "{{ bos_token }}"}, {"template": "keep"}, "does not show what an assistant"),
    ({"file": "{% for m in messages %}{{ m['content'] }}{% endfor %}"}, {}, "no end-of-turn token"),
    (
        {"own_template": CHATML, "names": {"eos_token": None}},
        {},
        r'no eos_token.*Set "eos_token": "<\|im_end\|>"',
    ),
    ({"lacking": 2}, {}, r"has (\d+) tokens.*embeddings: 2 have none, such as '<\|im_start\|>'"),
]


@pytest.mark.parametrize(("tokenizer", "settings", "message"), REFUSED)
def test_tokenizers_that_cannot_be_used(
    opened: Open, tokenizer: dict[str, Any], settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(RequestError, match=message):
        opened(**tokenizer, **settings)


def test_a_template_file_that_cannot_be_read(tmp_path: Path, base_tokenizer: MakeTokenizer) -> None:
    base_tokenizer().save_pretrained(tmp_path)
    given = StudentSettings(template="./chat.jinja")
    with pytest.raises(RequestError, match=r"chat\.jinja cannot be read"):
        student_tokenizer(tmp_path, given, tmp_path / "chat.jinja", None)


def test_tokens_that_the_model_has_no_embedding_for_can_be_named_as_new(opened: Open) -> None:
    tokenizer, changes = opened(lacking=2, add_tokens=["<|im_start|>", "<|im_end|>"])
    assert changes.added == ("<|im_start|>", "<|im_end|>")
    assert changes.first == len(tokenizer) - 2


@pytest.mark.parametrize("token", ["", "two words", "x" * 65])
def test_what_is_no_token(token: str) -> None:
    with pytest.raises(ValueError, match="add_tokens"):
        StudentSettings(add_tokens=(token,))


def test_a_template_file_is_known_by_its_content(students: dict[str, Path], tmp_path: Path) -> None:
    """The plan resolves the file, and another text is another address."""
    recipe = tmp_path / "r.yaml"
    text = (
        "potstill: 1\nname: r\nsteps:\n  rows: {load: {source: word_problems, rows: 2}}\n"
        "  s: {sft: {data: rows, model: %s, template: %s}}\n"
    )
    addresses = set()
    for template in (CHATML, CHATML + " "):
        (tmp_path / "chat.jinja").write_text(template)
        recipe.write_text(text % (students["qwen"], "./chat.jinja"))
        plan = make_plan(load_recipe(recipe, CATALOG), tmp_path / "work")
        addresses.add(plan.node("s").address)
    assert len(addresses) == 2
    recipe.write_text(text % (students["qwen"], "quen"))
    with pytest.raises(RequestError, match=r"'quen' is no step.*qwen"):
        make_plan(load_recipe(recipe, CATALOG), tmp_path / "work")
