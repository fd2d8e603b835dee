"""Loss on earlier turns: exactly what the assistant said, as it is served, or a refusal."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from potstill.models.chat import IGNORED, NotRenderable, end_of_turn, render_example
from potstill.models.turns import NOT_SERVED, assistant_labels
from potstill.pipeline.sample import Message
from potstill.recipes.quickstart.vocabulary import LLAMA, QWEN, Family, make_tokenizer, train_bpe

pytestmark = pytest.mark.skipif(find_spec("transformers") is None, reason="needs transformers")

Make = Callable[[str], Any]
THOUGHT = "<think>\n5 + 5 = 10\n</think>\n\\boxed{10}"
TALK = (
    Message("system", "Be brief."),
    Message("user", "What is 3 + 4?"),
    Message("assistant", "It is 7."),
    Message("user", "And 5 + 5?"),
    Message("assistant", "It is 10."),
    Message("user", "Sure?"),
)


DEEPSEEK = ("<｜end▁of▁sentence｜>", "<｜begin▁of▁sentence｜>", ("<｜User｜>", "<｜Assistant｜>"))


@pytest.fixture(scope="module")
def make() -> Make:
    bpe = train_bpe(["What is 3 + 4? It is 7. Sure?"] * 2, 300)
    newlines = train_bpe(["assistant\n\n\n7"] * 2, 300)

    def build(name: str) -> Any:
        if name == "joining":
            return make_tokenizer(newlines, QWEN)
        if name in ("chatml", "llama"):
            return make_tokenizer(bpe, QWEN if name == "chatml" else LLAMA)
        spec = find_spec("trl")
        if spec is None or spec.origin is None:
            pytest.skip("needs trl: its chat templates are the real ones")
        template = (Path(spec.origin).parent / "chat_templates" / f"{name}.jinja").read_text()
        families = {
            "llama3": Family(template, LLAMA.eos, LLAMA.pad, LLAMA.bos, LLAMA.others),
            "deepseek_r1_distill": Family(
                template, DEEPSEEK[0], DEEPSEEK[0], DEEPSEEK[1], DEEPSEEK[2]
            ),
        }
        qwen = Family(template, QWEN.eos, QWEN.pad, None, QWEN.others)
        return make_tokenizer(bpe, families.get(name, qwen))

    return build


@pytest.mark.parametrize("name", ["chatml", "llama", "qwen2_5", "llama3", "qwen3"])
def test_each_turn_and_its_end(make: Make, name: str) -> None:
    tokenizer = make(name)
    example = render_example(tokenizer, TALK, THOUGHT)
    labels = assistant_labels(tokenizer, TALK, example)
    end = end_of_turn(tokenizer)

    spans, trained = [], False
    for token, label in zip(example.token_ids, labels, strict=True):
        assert label in (IGNORED, token)
        if label != IGNORED:
            spans = spans if trained else [*spans, []]
            spans[-1].append(token)
        trained = label != IGNORED
    said = [tokenizer.decode(span) for span in spans]
    assert said == [f"It is 7.{end}", f"It is 10.{end}", f"{THOUGHT}{end}"]
    start = example.completion_start
    assert labels[start:] == example.labels[start:]


def test_one_turn_is_the_same_as_the_completion(make: Make) -> None:
    example = render_example(make("chatml"), TALK[:2], THOUGHT)
    assert assistant_labels(make("chatml"), TALK[:2], example) == example.labels


REFUSED = [
    # template, the earlier turn, why
    ("qwen3", THOUGHT, "another way"),  # its thinking is dropped once the conversation goes on
    ("deepseek_r1_distill", "It is 7.", "does not think"),  # its prompt opens <think>
    ("chatml", "", "nothing to learn"),
    ("joining", "\n\n7", "another way"),  # its first newline joins the template's last
]


@pytest.mark.parametrize(("name", "turn", "why"), REFUSED)
def test_a_turn_that_is_not_served_as_it_was_said(
    make: Make, name: str, turn: str, why: str
) -> None:
    tokenizer = make(name)
    talk = (Message("user", "5 + 5?"), Message("assistant", turn), Message("user", "Sure?"))
    example = render_example(tokenizer, talk, THOUGHT)
    with pytest.raises(NotRenderable, match=why) as refused:
        assistant_labels(tokenizer, talk, example)
    assert refused.value.reason == NOT_SERVED
