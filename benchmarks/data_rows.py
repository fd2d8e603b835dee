"""Synthetic rows for the benchmark of data: questions with traces, as JSONL and as an artifact.

Words are drawn by lot, so that text compresses about as real text does and no
two rows are equal. A tenth of the rows has no think tags and a tenth is long, so that judges have
something to leave out. Chinese makes a fifth.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SEED = 7
COMMON = (
    "the of and to in a is that it for was are with they how many much each what has more than "
    "then when which from this his her their first two three number all be as on have there if "
    "he she at by one can other about out into some could time him only its now"
)
HAN = [chr(code) for code in range(0x4E00, 0x4E00 + 2_000)]


def words(draw: random.Random) -> list[str]:
    """8,000 words, half of them the most common ones of English, as in real text."""
    common = COMMON.split()
    made = {"".join(draw.choices("etaoinshrdlucmfwyp", k=draw.randint(3, 9))) for _ in range(4_000)}
    return common * (4_000 // len(common)) + sorted(made)


def rows(number: int, seed: int = SEED) -> Iterator[dict[str, Any]]:
    """Rows of about 1 kB: question, response, answer, and two columns that stand for nothing."""
    draw = random.Random(seed)
    vocabulary = words(draw)
    for each in range(number):
        chinese = each % 5 == 0
        question = text(draw, vocabulary, 25, chinese)
        thought = text(draw, vocabulary, 250 if each % 10 == 1 else 90, chinese)
        closing = text(draw, vocabulary, 15, chinese)
        tags = ("", "") if each % 10 == 2 else ("<think>\n", "\n</think>\n")
        yield {
            "question": f"{question} ({each})",
            "response": f"{tags[0]}{thought}{tags[1]}{closing} \\boxed{{{each % 1000}}}",
            "answer": str(each % 1000),
            "level": draw.randint(1, 5),
            "topic": draw.choice(("algebra", "geometry", "number theory", "probability")),
        }


def text(draw: random.Random, vocabulary: list[str], size: int, chinese: bool) -> str:
    """A text of `size` words, or of as many Chinese characters as take the same room."""
    if chinese:
        return "".join(draw.choices(HAN, k=2 * size))
    return " ".join(draw.choices(vocabulary, k=size))


def write_jsonl(path: Path, number: int, seed: int = SEED) -> None:
    """The rows as a JSONL file."""
    with path.open("w", encoding="utf-8") as file:
        for row in rows(number, seed):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
