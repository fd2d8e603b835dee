"""Token counts are those of training, to the token and to the reason."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from potstill.models.chat import load_tokenizer
from potstill.models.token_counts import Counted, Loss, TokenCounter
from potstill.pipeline.errors import RequestError
from potstill.pipeline.sample import Generation, Message, Sample, new_sample
from potstill.train.rows.rendering import LeftOut, Rendering

pytestmark = pytest.mark.skipif(find_spec("transformers") is None, reason="needs transformers")

STUDENTS = Path(__file__).parents[2] / "recipes" / "quickstart"
MADE = Generation("t", "", "k", 0, 1, "stop", 5, 9)
PLAIN = new_sample((Message("user", "3 + 4?"),), completion="<think>\n3 + 4 = 7\n</think>\n7")
TALK = (
    Message("system", "Be brief."),
    Message("user", "你好？"),
    Message("assistant", "你好！"),
    Message("user", "Sure?"),
)
SAMPLES: dict[str, Sample] = {
    "plain": PLAIN,
    "made by a teacher": replace(PLAIN, generation=MADE),
    "cut off": replace(PLAIN, generation=replace(MADE, finish_reason="length")),
    "nothing to learn": replace(PLAIN, completion=None),
    "empty": replace(PLAIN, completion=""),
    "a control token": replace(PLAIN, completion="7<|im_end|><|eot_id|>"),
    "a control token in the question": new_sample(
        (Message("user", "<|im_start|><|start_header_id|>"),), completion="a"
    ),
    "a conversation": new_sample(TALK, completion="Yes. 😀"),
    "half a surrogate": replace(PLAIN, completion="\ud800"),
    "an unknown role": new_sample((Message("tool", "x"),), completion="a"),
}


def as_trained(sample: Sample, tokenizer: Any, loss: Loss) -> Counted:
    """What train/ makes of it."""
    rendering = Rendering(tokenizer, 10**6, loss=loss)
    try:
        row = rendering.whole_row(sample, rendering.render(sample))
    except LeftOut as refusal:
        return Counted(None, None, refusal.reason)
    return Counted(len(row.input_ids), row.loss_tokens)


@pytest.mark.parametrize("student", ["student-qwen", "student-llama"])
@pytest.mark.parametrize("loss", ["completion", "assistant"])
def test_what_is_counted_is_what_is_trained(student: str, loss: Loss) -> None:
    counter = TokenCounter(STUDENTS / student, loss=loss)
    tokenizer = load_tokenizer(STUDENTS / student)
    counted = {name: counter.count(sample) for name, sample in SAMPLES.items()}
    assert counted == {
        name: as_trained(sample, tokenizer, loss) for name, sample in SAMPLES.items()
    }
    reasons = {name for name, each in counted.items() if each.reason}
    assert reasons == SAMPLES.keys() - {"plain", "made by a teacher", "a conversation"}
    talk = counted["a conversation"]
    assert talk.tokens is not None
    assert talk.loss_tokens is not None
    assert 0 < talk.loss_tokens < talk.tokens


def test_loss_on_earlier_turns_is_more() -> None:
    few, many = (
        TokenCounter(STUDENTS / "student-qwen", loss=loss).count(SAMPLES["a conversation"])
        for loss in ("completion", "assistant")
    )
    assert few.tokens == many.tokens
    assert (few.loss_tokens or 0) < (many.loss_tokens or 0)


def test_a_folder_without_a_tokenizer_is_told(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="no tokenizer that can be loaded"):
        TokenCounter(tmp_path).count(PLAIN)
