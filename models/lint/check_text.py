"""What the trained tokens say: the whole thought and the whole answer, thinking opened once.

A tokenizer may lose text: an unknown token for a character that it lacks, a space in front of
each text (sentencepiece), white space that an added token swallows. So the tokens are decoded and
the text is compared, with what was to be learned and not with what was rendered.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Final, Literal

from ..chat import END_THINK, THINK, encode
from ..thinking import split
from .finding import Fault, Severity
from .linted import LintedModel, LintedRow

_SPACE: Final = "white space is lost"
_FORMS: Final[tuple[tuple[Literal["NFC", "NFKC"], Severity, str], ...]] = (
    ("NFC", "note", "some characters are written in another form (Unicode NFC)"),
    ("NFKC", "warning", "some characters become others (Unicode NFKC: x² reads x2)"),
)


def text_survives(row: LintedRow) -> Iterator[Fault]:
    """The trained tokens decode to the completion (`thinking_survives`, `text_normalised`)."""
    model = row.model
    before, whole = model.decode(row.token_ids[: row.start]), model.decode(row.token_ids)
    # The decoder of sentencepiece models drops the first space of what it is given, so the
    # completion is what the whole has behind the prompt.
    trained = whole[len(before) :]
    if not whole.startswith(before):
        trained = model.decode(row.token_ids[row.start :])
    wanted = row.written + model.ending
    if trained == wanted:
        return
    at = row.start + _first_lost(model, row.token_ids[row.start :], wanted)
    severity, how = _change(trained, wanted)
    yield Fault(
        "thinking_survives" if severity is None else "text_normalised",
        severity or ("warning" if how == _SPACE else "error"),
        f"the trained tokens decode to another text than the completion: {how} "
        f"({len(wanted):,} characters became {len(trained):,})",
        lambda: (row.around(at),),
    )


def prompt_survives(row: LintedRow) -> Iterator[Fault]:
    """The prompt's tokens still say what the prompt says (`prompt_lost`)."""
    model = row.model
    wanted = row.example.prompt.text
    read = model.decode(row.token_ids[: row.start])
    if read == wanted or _change(read, wanted)[0] is not None:
        return
    if _change(read, wanted)[1] == _SPACE:
        return  # white space around control tokens, which some swallow by themselves (Phi-3)
    at = _first_lost(model, row.token_ids[: row.start], wanted)
    yield Fault(
        "prompt_lost",
        "warning",
        "the prompt's tokens decode to another text than the prompt: the tokenizer lacks or "
        "rewrites characters, in training as in serving",
        lambda: (row.around(at),),
    )


def think_opened_once(row: LintedRow) -> Iterator[Fault]:
    """<think> stands once in a turn that thinks, by the template or by the completion."""
    turn = row.example.prompt.prefill + row.written
    opened = turn.count(THINK)
    if opened < 2:
        return
    by_template = row.example.prompt.prefilled_think
    first = "the template opens it and the completion" if by_template else "the completion"
    second = len(row.example.text) - len(row.written) - len(row.model.ending)
    second += row.written.find(THINK, 0 if by_template else row.written.find(THINK) + 1)
    yield Fault(
        "prefilled_think",
        "warning",
        f"{THINK} stands {opened} times in the turn: {first} opens it again, and the student "
        "learns to",
        lambda: (row.model.excerpt_of_text("trained", row.example.text, second),),
    )


def thought_answered(row: LintedRow) -> Iterator[Fault]:
    """A thought is opened, closed once, and an answer follows it (`think_block`)."""
    parts = split(row.example.prompt.prefill + row.written)
    if not row.completion.strip():
        told = "nothing but white space would be learned"
        yield Fault("no_completion", "warning", told, lambda: (row.around(row.start),))
    if parts.thought is None:
        return
    if parts.unclosed:
        told = "the thought is never closed, so no answer follows"
    elif not parts.opens:
        told = f"{END_THINK} closes a thought that nothing opened"
    elif parts.closes > 1:
        told = f"{END_THINK} stands {parts.closes} times in the turn"
    elif not row.answer:
        told = "no answer follows the thought"
    else:
        return
    yield Fault(
        "think_block",
        "warning",
        f"{told}, and the student learns to write that",
        lambda: (row.around(_last_close(row)),),
    )


def _last_close(row: LintedRow) -> int:
    """Position of the last </think>; of the last token where there is none."""
    text = row.example.text
    at = text.rfind(END_THINK)
    inside = at >= len(text) - len(row.written) - len(row.model.ending)
    last = len(row.token_ids) - 1
    return len(encode(row.model.tokenizer, text[:at])) if inside else last


def _change(read: str, wanted: str) -> tuple[Severity | None, str]:
    """How bad a change by a normaliser is (None: it is more than that), and what it is."""
    for form, severity, how in _FORMS:
        if unicodedata.normalize(form, read) == unicodedata.normalize(form, wanted):
            return severity, how
    if "".join(read.split()) != "".join(wanted.split()):
        return None, "characters are lost or changed"
    characters = iter(read)
    if all(character in characters for character in wanted):
        return "note", "the tokenizer puts white space between, as sentencepiece does"
    return None, _SPACE


def _first_lost(model: LintedModel, token_ids: list[int], wanted: str) -> int:
    """The first token behind which the decoded text has left the wanted one, by halving."""
    low, high = 0, len(token_ids)
    while low + 1 < high:
        middle = (low + high) // 2
        # Half a character at the end decodes to a replacement character: no difference yet.
        if wanted.startswith(model.decode(token_ids[:middle]).rstrip("�")):
            low = middle
        else:
            high = middle
    return low
