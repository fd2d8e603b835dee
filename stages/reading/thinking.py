"""Thoughts as datasets write them, in the one form that is read everywhere: <think>…</think>answer.

A completion with the tags is kept byte for byte. A thought in a column or a field of its own goes
before the answer as DeepSeek's models write it, both without outer white space. Other pairs of tags
become the two where they enclose the beginning of a completion; anything else is an answer without
a thought. Which form was met is counted, since a dataset with several of them is often two datasets
in one.
"""

from __future__ import annotations

from typing import Final

from ...models.thinking import CLOSE, OPEN

TAGS: Final = "<think>"
NONE: Final = "none"
NOT_CLOSED: Final = "not closed"
SEPARATE: Final = "separate"
"""A column or field of its own."""

FIELDS: Final = ("reasoning_content", "reasoning", "thinking")
"""Names of columns and fields that hold a thought."""

MOST_OF_A_LABEL: Final = 20
"""Characters. A column of such a name whose texts are all this short says how was thought ("on",
"detailed"), as in Llama-Nemotron-Post-Training-Dataset; it is no thought."""

_CLOSING: Final = {
    "<|begin_of_thought|>": "<|end_of_thought|>",
    "<thought>": "</thought>",
    "<reasoning>": "</reasoning>",
    "<thinking>": "</thinking>",
}
FOREIGN_TAGS: Final = tuple(_CLOSING)
"""What a completion in another form begins with, but for white space."""
_SOLUTION: Final = ("<|begin_of_solution|>", "<|end_of_solution|>")
"""Around the answer behind `<|begin_of_thought|>`; the second is missing where it was cut off."""

BEFORE: Final = f"{OPEN}\n"
BETWEEN: Final = f"\n{CLOSE}\n\n"
"""What stands before a thought, and between it and the answer, where they were apart."""


def joined(thought: str, answer: str) -> str:
    """A thought and an answer that were apart, as DeepSeek-R1 writes them."""
    return f"{BEFORE}{thought.strip()}{BETWEEN}{answer.strip()}"


def in_tags(completion: str) -> tuple[str, str]:
    """A completion with its thought in the tags, and the form it had."""
    if OPEN in completion or CLOSE in completion:
        return completion, TAGS if CLOSE in completion else NOT_CLOSED
    text = completion.lstrip()
    for tag, closing in _CLOSING.items():
        if text.startswith(tag):
            thought, closed, rest = text[len(tag) :].partition(closing)
            if not closed:
                return completion, NOT_CLOSED
            return joined(thought, _solution(rest)), tag
    return completion, NONE


def _solution(rest: str) -> str:
    """An answer without the tags around it."""
    opening, closing = _SOLUTION
    before, opened, inside = rest.partition(opening)
    if not opened or before.strip():
        return rest
    answer, _, after = inside.partition(closing)
    return answer.strip() + after
