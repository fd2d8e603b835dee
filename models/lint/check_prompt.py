"""What a template makes of the messages before the answer: shown as they are, or changed.

The student is trained and served with the same prompt, so none of this parts the two. It decides
what the student can see at all: a system message that a template swallows is swallowed twice, and
most thinking models drop the thoughts of earlier turns (Qwen3, DeepSeek-R1).
"""

from __future__ import annotations

from collections.abc import Iterator

from ...pipeline.sample import Message
from ..chat import END_THINK
from ..control_tokens import control_tokens
from ..templates import final_answer_of, thinking_of
from .finding import Fault
from .linted import LintedRow


def messages_shown(row: LintedRow) -> Iterator[Fault]:
    """Every message stands in the prompt as it was written."""
    text = row.example.prompt.text
    shown = [message.content for message in row.sample.prompt if message.content in text]
    for number, message in enumerate(row.sample.prompt, start=1):
        content = message.content
        # Two turns may say the same, and one may be dropped.
        said = sum(other.count(content) for other in shown) if content else 0
        if content not in text:
            yield _changed(row, number, message, text)
        elif text.count(content) < said:
            yield _rewritten(row, f"turn {number} ({message.role}) or one that says the same", text)


def markers_in_text(row: LintedRow) -> Iterator[Fault]:
    """No text holds what the template itself writes around turns, be it in plain words.

    Control tokens are refused when the row is rendered; this is for templates whose markers are
    no tokens of their own: [INST] of Llama 2, <|user|> of Zephyr.
    """
    texts = [*(message.content for message in row.sample.prompt), row.completion]
    for number, content in enumerate(texts, start=1):
        found = control_tokens(content) & row.model.markers
        if found:
            where = "the completion" if number == len(texts) else f"turn {number}"
            yield Fault(
                "special_token_in_text",
                "warning",
                f"{', '.join(map(repr, sorted(found)))} stands in {where}, and the template writes "
                "the same around turns: the model cannot tell one from the other",
                lambda: (row.around(row.start),),
            )


def _changed(row: LintedRow, number: int, message: Message, text: str) -> Fault:
    turn = f"turn {number} ({message.role})"
    thought = thinking_of(message.content) if message.role == "assistant" else None
    answer = final_answer_of(message.content) or ""
    if thought and answer in text and not thinking_stands(thought, text):
        return Fault(
            "history_thinking",
            "warning",
            f"the thinking of {turn} is dropped from the prompt, in training as in serving; it is "
            "not learned from this row either, since only the last turn is trained",
            lambda: (row.model.excerpt_of_text("trained", text, max(0, text.find(answer))),),
        )
    if squeezed(message.content) in squeezed(text):
        return Fault(
            "prompt_rewritten",
            "note",
            f"the template changes white space of {turn}, in training as in serving",
        )
    return _rewritten(row, turn, text)


def _rewritten(row: LintedRow, turn: str, text: str) -> Fault:
    return Fault(
        "prompt_rewritten",
        "warning",
        f"{turn} does not stand in the prompt as it was written: the template changes or drops "
        "it, in training as in serving",
        lambda: (row.model.excerpt_of_text("trained", text, 0),),
    )


def thinking_stands(thought: str, text: str) -> bool:
    """Whether a text holds a thought up to its </think>, however the white space was moved.

    With the tag, since a short thought (`ten`) may stand anywhere (`sentence`).
    """
    return squeezed(thought + END_THINK) in squeezed(text)


def squeezed(text: str) -> str:
    """The text without white space."""
    return "".join(text.split())
