"""What the template makes of the whole conversation, which is what other trainers train.

potstill trains the served prompt, the completion and one end of turn, and nothing here changes
that. But trl's SFTTrainer, and whoever else applies the template to the finished conversation,
trains this render: without the thinking, with a second EOS, behind another prompt. Each difference
is proved on the tokens of both.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..chat import encode
from .check_prompt import squeezed, thinking_stands
from .check_serving import first_difference
from .finding import Excerpt, Fault, excerpt
from .linted import LintedRow

RENDERED = "rendered by the template"


def own_render(row: LintedRow) -> Iterator[Fault]:
    """All that differs between the trained row and the template's render of the conversation."""
    if not row.example.own_render.startswith(row.example.text):
        dropped = bool(row.thought) and not thinking_stands(row.thought, _rendered_turn(row))
        if dropped:
            yield _thinking_dropped(row)
        if not row.example.own_render.startswith(_opening(row)):
            yield _prompt_differs(row)
        elif not dropped:
            yield from _completion_differs(row)
    yield from _endings(row)


def _opening(row: LintedRow) -> str:
    """The prompt up to where the assistant's text begins."""
    prompt = row.example.prompt
    return prompt.text.removesuffix(prompt.prefill) if prompt.prefill else prompt.text


def _rendered_turn(row: LintedRow) -> str:
    """What the template made of the last turn: all that follows the prompt, as far as that goes."""
    own, opening = row.example.own_render, _opening(row)
    if own.startswith(opening):
        return own[len(opening) :]
    return own[first_difference(own, opening) :]


def _thinking_dropped(row: LintedRow) -> Fault:
    return Fault(
        "thinking_survives",
        "warning",
        "the template drops the thinking when it renders the whole conversation; potstill trains "
        "it all the same, but trl would train the answer alone, unless its training variant of "
        "the template is swapped in (assistant_only_loss)",
        lambda: _both(row),
    )


def _prompt_differs(row: LintedRow) -> Fault:
    return Fault(
        "prompt_is_prefix",
        "warning",
        "the prompt of serving is no prefix of the template's render of the whole conversation, "
        "so other trainers train behind another prompt than the one that is served",
        lambda: _both(row),
    )


def _completion_differs(row: LintedRow) -> Iterator[Fault]:
    rendered, ending = _rendered_turn(row), row.model.ending
    turn = row.example.text[len(_opening(row)) :].removesuffix(ending)
    moved = False
    if rendered.startswith(turn.strip() + ending):
        how = "drops the white space around the completion"
    elif moved := squeezed(rendered).startswith(squeezed(turn + ending)):
        how = "moves white space in the completion"
    else:
        how = "changes the completion"
    yield Fault(
        "completion_rewritten",
        "note" if moved else "warning",
        f"the template {how} when it renders the whole conversation; potstill trains the "
        "completion as it is, other trainers do not",
        lambda: _both(row),
    )


def _endings(row: LintedRow) -> Iterator[Fault]:
    """What the template writes behind the answer: one end of turn."""
    own, model = row.example.own_render, row.model
    mark, eos = model.name(model.ending_id), str(model.tokenizer.eos_token)
    # With its ending, since a short answer (`d`) stands in the mark itself.
    last = row.answer or row.completion.strip()
    space = row.completion[len(row.completion.rstrip()) :]
    last = last + space if last + space + model.ending in own else last
    at = own.rfind(last + model.ending)
    if at < 0:
        return
    tail = own[at + len(last) :]
    if tail.count(mark) > 1:
        yield Fault(
            "ends_once",
            "warning",
            f"the template writes {mark!r} {tail.count(mark)} times behind the answer; potstill "
            "trains it once, other trainers train every one",
            lambda: (model.excerpt_of_text(RENDERED, own, at + len(last)),),
        )
    elif eos != mark and eos in tail:
        yield Fault(
            "ends_once",
            "note",
            f"behind {mark!r} the template writes {eos!r} too, at the end of a conversation; "
            "potstill trains the end of turn, where a server stops, other trainers both",
            lambda: (model.excerpt_of_text(RENDERED, own, at + len(last)),),
        )


def _both(row: LintedRow) -> tuple[Excerpt, ...]:
    """The trained tokens and those of the template's render where they part."""
    tokenizer = row.model.tokenizer
    own = encode(tokenizer, row.example.own_render)
    at = first_difference(row.token_ids, own) or 0
    return row.around(at), excerpt(tokenizer, RENDERED, own, at)
