"""What the trained tokens say: the whole thought and the whole answer, thinking opened once.

A tokenizer may lose text: an unknown token for a character that it lacks, a space in front of
each text (sentencepiece), white space that an added token swallows. So the tokens are decoded and
the text is compared, with what was to be learned and not with what was rendered.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from ..chat import THINK
from .finding import Fault
from .linted import LintedModel, LintedRow


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
    if _same_characters(trained, wanted):
        yield Fault(
            "text_normalised",
            "note",
            "the tokenizer writes some characters in another form (Unicode normalisation)",
            lambda: (row.around(at),),
        )
        return
    only_space = "".join(trained.split()) == "".join(wanted.split())
    yield Fault(
        "thinking_survives",
        "warning" if only_space else "error",
        f"the trained tokens decode to another {'white space' if only_space else 'text'} than the "
        f"completion: {len(wanted):,} characters became {len(trained):,}",
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


def _same_characters(one: str, other: str) -> bool:
    return unicodedata.normalize("NFKC", one) == unicodedata.normalize("NFKC", other)


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
