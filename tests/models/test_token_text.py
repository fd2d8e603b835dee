"""What tokens say: nothing is lost where a token is a part of a character."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import pytest

from potstill.models.token_text import pieces_of
from potstill.recipes.quickstart.vocabulary import QWEN, make_tokenizer, train_bpe

pytestmark = pytest.mark.skipif(find_spec("transformers") is None, reason="needs transformers")


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return make_tokenizer(train_bpe(["What is 3 + 4? The answer is 7."] * 2, 300), QWEN)


def told(tokenizer: Any, text: str) -> list[str]:
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    return [piece.text + piece.ended for piece in pieces_of(tokenizer, ids)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The answer", ["Th", "e", " answer"]),
        ("7\n\t", ["7", "\n", "\t"]),
        ("国", ["⟨E5⟩", "⟨9B⟩", "⟨BD⟩国"]),
        ("é7", ["⟨C3⟩", "⟨A9⟩é", "7"]),
        ("\ufffd", ["⟨EF⟩", "⟨BF⟩", "⟨BD⟩\ufffd"]),
        ("<think>7<|im_end|>", ["<think>", "7", "<|im_end|>"]),
        ("⟨E5⟩", ["⟨E2⟩", "⟨9F⟩", "⟨A8⟩⟨", "E", "5", "⟨E2⟩", "⟨9F⟩", "⟨A9⟩⟩"]),
    ],
)
def test_pieces(tokenizer: Any, text: str, expected: list[str]) -> None:
    assert told(tokenizer, text) == expected


def test_control_tokens_and_halves_are_marked(tokenizer: Any) -> None:
    ids = tokenizer("<think>é<|im_end|>", add_special_tokens=False)["input_ids"]
    think, first, second, end = pieces_of(tokenizer, ids)
    assert [think.special, end.special] == [False, True]
    assert [think.whole, first.whole, second.whole] == [True, False, False]
    assert first.facts() == {
        "id": ids[1], "text": "⟨C3⟩", "special": False, "whole": False, "ended": "",
    }  # fmt: skip
    assert end.facts() == {"id": ids[3], "text": "<|im_end|>", "special": True}


def test_a_broken_character_does_not_reach_over_a_whole_token(tokenizer: Any) -> None:
    half, rest = tokenizer("é", add_special_tokens=False)["input_ids"]
    (seven,) = tokenizer("7", add_special_tokens=False)["input_ids"]
    pieces = pieces_of(tokenizer, [half, seven, rest])
    assert [piece.text for piece in pieces] == ["⟨C3⟩", "7", "⟨A9⟩"]
    assert "é" not in [piece.ended for piece in pieces]


def test_an_id_beyond_the_vocabulary(tokenizer: Any) -> None:
    (piece,) = pieces_of(tokenizer, [99_999])
    assert piece.text == ""


def test_a_vocabulary_of_words_with_byte_fallback() -> None:
    """As Llama 2 and Gemma have it."""
    from tokenizers import Tokenizer, decoders, models, normalizers
    from transformers import PreTrainedTokenizerFast

    words = {"<unk>": 0, "▁": 1, "h": 2, "i": 3}
    words |= {f"<0x{byte:02X}>": 4 + byte for byte in range(256)}
    made = Tokenizer(models.BPE(vocab=words, merges=[], byte_fallback=True, unk_token="<unk>"))
    made.normalizer = normalizers.Replace(" ", "▁")
    made.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, unk_token="<unk>")
    assert told(tokenizer, "hi 国") == ["h", "i", " ", "⟨E5⟩", "⟨9B⟩", "⟨BD⟩国"]
