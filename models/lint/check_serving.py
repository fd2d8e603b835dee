"""Training meets serving: the student is asked with the very tokens that it was trained behind.

The first part of every row must be what a server makes of the same messages, token by token, today
and tomorrow; and the place where prompt and completion meet must be one that a tokenizer respects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ..chat import NotRenderable, apply_template, encode
from .finding import Excerpt, Fault, excerpt
from .linted import LintedModel, LintedRow
from .served import served_tokens

WINDOW = 256
"""Characters on each side of a boundary that are tokenised together: merges do not reach far."""


def train_equals_serve(row: LintedRow) -> Iterator[Fault]:
    """The prompt's tokens are those of a chat request to vLLM."""
    model = row.model
    trained = row.token_ids[: row.start]
    try:
        served = served_tokens(model.tokenizer, row.sample.prompt, model.template_kwargs)
    except Exception as error:  # a template is a program of the model's: it may raise anything
        yield Fault(
            "train_equals_serve",
            "error",
            "the template refuses the messages as vLLM hands them over (content in parts, since "
            f"the template loops over content): {type(error).__name__}: {error}",
            lambda: (row.around(0),),
        )
        return
    at = first_difference(trained, served)
    if at is not None:
        yield Fault(
            "train_equals_serve",
            "error",
            f"trained behind {len(trained)} prompt tokens, served with {len(served)}: they differ "
            f"from position {at}",
            lambda: (row.around(at), excerpt(model.tokenizer, "served", served, at)),
        )


def double_bos(row: LintedRow) -> Iterator[Fault]:
    """No two tokens of the beginning one after the other."""
    bos = row.model.tokenizer.bos_token_id
    ids = row.token_ids
    at = next((at for at in range(1, len(ids)) if ids[at - 1] == ids[at] == bos), None)
    if bos is not None and at is not None:
        yield Fault(
            "double_bos",
            "error",
            f"{row.model.name(bos)!r} stands twice at position {at - 1}: the template writes it "
            "two times",
            lambda: (row.around(at),),
        )


def boundary_merge(row: LintedRow) -> Iterator[Fault]:
    """Tokenised as one text, prompt, completion and end of turn share no token."""
    prompt, written, ending = row.example.prompt.text, row.written, row.model.ending
    for name, left, right in (
        ("the prompt and the completion", prompt, written + ending),
        ("the completion and its end of turn", prompt + written, ending),
    ):
        yield from _merge(row.model, name, left[-WINDOW:], right[:WINDOW])


def _merge(model: LintedModel, name: str, left: str, right: str) -> Iterator[Fault]:
    before, joined = encode(model.tokenizer, left), encode(model.tokenizer, left + right)
    at = first_difference(before, joined[: len(before)])
    # A difference further off comes of where the window was cut.
    if at is not None and at >= len(before) - 2:
        apart = [*before, *encode(model.tokenizer, right)]
        yield Fault(
            "boundary_merge",
            "warning",
            f"tokenised as one text, {name} merge into other tokens; what is trained is what a "
            "server sees, but a tool that tokenises the whole text trains something else",
            _both(model, apart, joined, at),
        )


def depends_on_clock(row: LintedRow) -> Iterator[Fault]:
    """The same messages give the same prompt tomorrow (Llama 3.2 writes today's date)."""
    model = row.model
    kwargs = {**model.template_kwargs, "strftime_now": lambda form: "31 Dec 1999"}
    if "strftime_now" not in model.tokenizer.get_chat_template():
        return
    try:
        other = apply_template(model.tokenizer, row.sample.prompt, kwargs, open_turn=True)
    except NotRenderable:
        return  # it does more with the clock than write a date; nothing is proved by that
    text = row.example.prompt.text
    if other != text:
        yield Fault(
            "depends_on_clock",
            "warning",
            "the template writes the present date into the prompt, so that what is trained today "
            "is not what is served tomorrow; name a date in chat_template_kwargs if the template "
            "has a name for it (date_string in Llama 3.2)",
            _both(model, encode(model.tokenizer, text), encode(model.tokenizer, other)),
        )


def _both(
    model: LintedModel, trained: Sequence[int], other: Sequence[int], at: int | None = None
) -> Callable[[], tuple[Excerpt, ...]]:
    place = first_difference(trained, other) or 0 if at is None else at
    return lambda: (
        excerpt(model.tokenizer, "trained", trained, place),
        excerpt(model.tokenizer, "instead", other, place),
    )


def first_difference(one: Sequence[object], other: Sequence[object]) -> int | None:
    """The first position at which two token lists or texts differ; None where they are equal."""
    if one == other:
        return None
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
