"""What each token says: its text, or the bytes of half a character, so that nothing is lost.

A token of a byte-level vocabulary may be a part of a character: three tokens for one `国`. Decoded
alone it would be `�`, and the character would be gone. Here such a token reads ⟨E59B⟩, its bytes,
and the one that ends the character names it: ⟨BD⟩国. Special tokens keep their names. Making
whitespace visible, colours and escapes are the views' business.
"""

from __future__ import annotations

import codecs
import functools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

_ONE_BYTE: Final = re.compile(r"<0x([0-9A-F]{2})>")
"""A token of the byte fallback of sentencepiece models."""
_WORD_START: Final = "▁"
"""How sentencepiece models (Llama 2, Gemma) write a space."""
_INSIDE: Final = frozenset(bytes([byte]) for byte in range(0x80, 0xC0))
"""Bytes that go on with a character of UTF-8."""
_HALVES: Final = re.compile("[\udc80-\udcff]+")


@dataclass(frozen=True, slots=True)
class Piece:
    """One token as it can be shown."""

    id: int
    text: str
    """Bytes that are no whole character stand in it as ⟨E4BD⟩."""
    special: bool
    """A control token: no text of a user can make it."""
    whole: bool = True
    """False where the token holds a part of a character."""
    ended: str = ""
    """The character whose last part this token holds."""

    def facts(self) -> dict[str, Any]:
        """JSON values."""
        told = {"id": self.id, "text": self.text, "special": self.special}
        return told if self.whole else {**told, "whole": False, "ended": self.ended}


def pieces_of(tokenizer: Any, token_ids: Sequence[int]) -> list[Piece]:
    """The tokens one by one."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    pieces = []
    for token in token_ids:
        piece = _piece(tokenizer, token)
        if piece.whole:
            decoder.reset()
        else:
            raw = _bytes_of(tokenizer, token) or b""
            known = decoder.decode(raw)
            begins_inside = raw[:1] in _INSIDE
            piece = replace(piece, ended=known[:1] if begins_inside else "")
        pieces.append(piece)
    return pieces


@functools.lru_cache(maxsize=1 << 16)
def _piece(tokenizer: Any, token: int) -> Piece:
    added = tokenizer.added_tokens_decoder.get(token)
    if added is not None:
        return Piece(token, added.content, added.special)
    raw = _bytes_of(tokenizer, token)
    if raw is None:
        text = tokenizer.decode(
            [token], skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        return Piece(token, str(text), False)
    text = raw.decode("utf-8", "surrogateescape")
    return Piece(token, _HALVES.sub(_as_bytes, text), False, _HALVES.search(text) is None)


def _as_bytes(found: re.Match[str]) -> str:
    raw = found[0].encode("utf-8", "surrogateescape")
    return f"⟨{raw.hex().upper()}⟩"


def _bytes_of(tokenizer: Any, token: int) -> bytes | None:
    """The bytes that a token stands for; None where only its decoder can say it."""
    written = tokenizer.convert_ids_to_tokens(token)
    kinds = _decoders(tokenizer)
    if written is None:
        return None  # an id beyond the vocabulary
    if "ByteLevel" in kinds:
        table = _byte_of_character()
        known = all(character in table for character in written)
        return bytes(table[character] for character in written) if known else None
    if "ByteFallback" in kinds:
        one = _ONE_BYTE.fullmatch(written)
        text = str(written).replace(_WORD_START, " ")
        return bytes.fromhex(one[1]) if one else text.encode("utf-8", "replace")
    return None


@functools.lru_cache(maxsize=8)
def _decoders(tokenizer: Any) -> frozenset[str]:
    """The kinds of decoder of a fast tokenizer, nested ones too; empty for one in Python."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None or backend.decoder is None:
        return frozenset()
    outer = json.loads(backend.decoder.__getstate__())
    return frozenset(step["type"] for step in [outer, *outer.get("decoders", [])])


@functools.lru_cache(maxsize=1)
def _byte_of_character() -> dict[str, int]:
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    return {character: byte for byte, character in bytes_to_unicode().items()}
