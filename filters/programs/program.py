"""Which of the fenced blocks of an answer is the program.

It is the last block in the language that is asked for. Beside tagged programs, blocks without a tag
are mostly output: there they count only if they define the entry point. Blocks with other tags
never count, empty ones are none, and code outside of a fence is no program. An example of use
behind the program would be taken for it: where the last block does not define the entry point and
an earlier one does, nobody said which was meant (`several_programs`).

A last block without its closing fence counts: a stop sequence or the end of the text closed it, as
in CommonMark. What the token limit cut is `truncated` before anything is looked for.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from ...models.thinking import Span
from ...pipeline.sample import Sample
from ...pipeline.verdict import Json, Verdict
from ..answers.answer_text import read_part
from ..unfinished import UNFINISHED
from .fences import Block, fenced_blocks
from .language_tags import UNTAGGED

Which = Literal["last", "only"]

NO_PROGRAM: Final = UNFINISHED | {"no_program", "several_programs", "wrong_language"}
"""The reasons that `find_program` may give."""

_SHOWN: Final = 10
"""Tags kept as evidence."""


@dataclass(frozen=True, slots=True)
class Program:
    """The code to run; `evidence` says where it stands in the completion and among how many."""

    code: str
    span: Span
    blocks: int
    """Blocks that could have been the program."""
    tagged: bool
    closed: bool

    def evidence(self) -> dict[str, Json]:
        """What a verdict tells of it; that it has no tag or no end, only where that is so."""
        told: dict[str, Json] = {"program": list(self.span), "blocks": self.blocks}
        if not self.tagged:
            told["tagged"] = False
        if not self.closed:
            told["closed"] = False
        return told


def find_program(
    sample: Sample, language: str, which: Which, entry_point: str | None = None
) -> Program | Verdict:
    """The program of a completion, or the verdict on one that has none.

    Args:
        language: its name in `language_tags.py`.
        entry_point: the name, or `Class.method`, that a Python program has to define.
    """
    part = read_part(sample, "answer")
    if isinstance(part, Verdict):
        return part
    text = part.text
    filled = [block for block in fenced_blocks(text) if text[slice(*block.span)].strip()]
    if not filled:
        return Verdict(0.0, "no_program")
    defining = _defining(text, filled, entry_point)
    candidates = _candidates(filled, language, defining)
    if not candidates:
        tags: list[Json] = [block.language for block in filled[-_SHOWN:]]
        return Verdict(0.0, "wrong_language", {"language": language, "tags": tags})
    last = candidates[-1]
    unclear = last not in defining and any(block in defining for block in candidates)
    if len(candidates) > 1 and (which == "only" or unclear):
        spans: list[Json] = [part.span(*block.span) for block in candidates[-_SHOWN:]]
        return Verdict(0.0, "several_programs", {"blocks": len(candidates), "programs": spans})
    start, end = (part.start + edge for edge in last.span)
    tagged = last.language != UNTAGGED
    return Program(last.code(text), (start, end), len(candidates), tagged, last.closed)


def _candidates(blocks: Sequence[Block], language: str, defining: Collection[Block]) -> list[Block]:
    """The blocks that could be the program, in order."""
    if all(block.language != language for block in blocks):
        return [block for block in blocks if block.language == UNTAGGED]
    return [
        block
        for block in blocks
        if block.language == language or (block.language == UNTAGGED and block in defining)
    ]


def _defining(text: str, blocks: Sequence[Block], entry_point: str | None) -> set[Block]:
    """The blocks that define the entry point, as Python programs do."""
    if entry_point is None:
        return set()
    name = re.escape(entry_point.partition(".")[0])
    defines = re.compile(
        rf"^[ \t>]*+(?:(?:async[ \t]++)?(?:def|class)[ \t]++{name}\b"
        rf"|{name}[ \t]*+(?::|=(?!=))|(?:from|import)\b[^\n]*\b{name}\b)",
        re.MULTILINE,
    )
    return {block for block in blocks if defines.search(text, *block.span)}
