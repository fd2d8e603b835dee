"""What is true of a tokenizer and its template whatever the rows: checked once, on a probe.

Who stops where, what pads, how thinking is tokenised, and whether the markers for trl's
`assistant_only_loss` are there and right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from ...pipeline.errors import RequestError
from ...pipeline.sample import Message
from ..chat import (
    END_THINK,
    THINK,
    NotRenderable,
    apply_template,
    encode,
    end_of_turn,
)
from .finding import Fault, excerpt
from .linted import LintedModel

_MARKER: Final = re.compile(r"\{%-?\s*generation\s*-?%\}")
_QUESTION: Final = Message("user", "What is 3 + 4?")
_PLAIN: Final = Message("assistant", "Seven")
_ANSWER: Final = Message("assistant", f"{THINK}\n3 + 4 = 7\n{END_THINK}\n\nSeven.")


def unusable(tokenizer: Any) -> Iterator[Fault]:
    """Why no row at all can be rendered."""
    if not tokenizer.chat_template:
        told = "the tokenizer has no chat template: add chat_template.jinja to the model's folder"
        yield Fault("no_template", "error", told)
        return
    try:
        end_of_turn(tokenizer)
    except NotRenderable as error:
        yield Fault(error.reason, "error", f"already a question and an answer: {error}")
    except RequestError as error:
        yield Fault("no_end_of_turn", "error", str(error))


def model_faults(model: LintedModel) -> Iterator[Fault]:
    """All checks of the model."""
    yield from _eos(model)
    yield from _pad(model)
    yield from _think_tags(model)
    yield from _generation_prompt(model)
    yield from _added_bos(model)
    yield from _markers(model)


def _eos(model: LintedModel) -> Iterator[Fault]:
    tokenizer, mark = model.tokenizer, model.name(model.ending_id)
    if tokenizer.eos_token is None:
        yield Fault(
            "no_eos",
            "error",
            f"the tokenizer has no eos_token; set it to {mark!r}, which ends the template's turns, "
            "in tokenizer_config.json",
        )
    elif model.ending_id not in model.stop_ids:
        stops = ", ".join(repr(model.name(token)) for token in sorted(model.stop_ids))
        yield Fault(
            "server_stops",
            "warning",
            f"a server stops at {stops}, but the template ends a turn with {mark!r}: as it is, "
            "the model goes on after its answer. What potstill trains gets a "
            "generation_config.json that stops at both",
            lambda: (excerpt(tokenizer, "end of turn", [model.ending_id], 0),),
        )


def _pad(model: LintedModel) -> Iterator[Fault]:
    tokenizer = model.tokenizer
    pads_with_end = tokenizer.pad_token_id == model.ending_id
    stands_in = tokenizer.pad_token_id is None and tokenizer.eos_token_id == model.ending_id
    if pads_with_end or stands_in:
        how = (
            "is the pad token too" if pads_with_end else "would be taken for the missing pad token"
        )
        yield Fault(
            "pad_is_end_of_turn",
            "warning",
            f"the end of turn {model.name(model.ending_id)!r} {how}: a collator that masks by pad "
            "id never trains it, and the student never stops. potstill masks by position",
            lambda: (excerpt(tokenizer, "end of turn", [model.ending_id], 0),),
        )


def _think_tags(model: LintedModel) -> Iterator[Fault]:
    counts = {tag: len(encode(model.tokenizer, tag)) for tag in (THINK, END_THINK)}
    if max(counts.values()) > 1:
        told = " and ".join(f"{tag} is {count} tokens" for tag, count in counts.items())
        yield Fault(
            "think_tags_split",
            "note",
            f"{told} here; the training steps can add them as one token each (add_tokens)",
            lambda: (excerpt(model.tokenizer, THINK, encode(model.tokenizer, THINK), 0),),
        )


def _generation_prompt(model: LintedModel) -> Iterator[Fault]:
    def rendered(*turns: Message, opened: bool) -> str:
        return apply_template(model.tokenizer, turns, model.template_kwargs, open_turn=opened)

    try:
        asked = rendered(_QUESTION, opened=True)
        ignored = asked == rendered(_QUESTION, opened=False)
        answered = rendered(_QUESTION, _PLAIN, opened=False)
    except NotRenderable:
        return  # the rows will say so
    if not ignored:
        return
    header, _, behind = answered.removeprefix(asked).partition(_PLAIN.content)
    told = None
    # In Llama 2 and Mistral the question's own end, [/INST], opens the turn: nothing is missing.
    if not answered.startswith(asked) or header.strip():
        told = (
            "the assistant's turn is not opened, so the student is asked, and trained, without "
            "its header"
        )
    elif behind.strip().count(model.ending.strip()) and not _ends_with(behind, model):
        told = "a turn is opened behind every conversation, and other trainers train that too"
    if told:
        yield Fault(
            "no_generation_prompt",
            "warning",
            f"the template takes no notice of add_generation_prompt: {told}",
            lambda: (model.excerpt_of_text("served", asked, len(asked)),),
        )


def _ends_with(behind: str, model: LintedModel) -> bool:
    """Whether nothing but control tokens and white space follows the answer."""
    ids = encode(model.tokenizer, behind)
    added = model.tokenizer.added_tokens_decoder
    return not model.decode([token for token in ids if token not in added]).strip()


def _added_bos(model: LintedModel) -> Iterator[Fault]:
    tokenizer = model.tokenizer
    try:
        text = apply_template(tokenizer, [_QUESTION], model.template_kwargs, open_turn=True)
    except NotRenderable:
        return  # the rows will say so
    ids = list(tokenizer(text, verbose=False)["input_ids"])
    two = [tokenizer.bos_token_id] * 2
    if tokenizer.bos_token_id is not None and ids[:2] == two != encode(tokenizer, text)[:2]:
        yield Fault(
            "double_bos",
            "note",
            f"template and tokenizer both write {tokenizer.bos_token!r}: whoever tokenises the "
            "rendered text with its special tokens gets two. potstill and vLLM's chat add none",
            lambda: (excerpt(tokenizer, "tokenised with special tokens", ids, 1),),
        )


def _markers(model: LintedModel) -> Iterator[Fault]:
    if not _MARKER.search(model.tokenizer.get_chat_template()):
        yield Fault(
            "generation_markers",
            "note",
            "the template has no {% generation %} markers, which trl's assistant_only_loss needs; "
            "potstill does not",
        )
        return
    try:
        ids, mask = _marked(model)
    except Exception as error:  # a template is a program of the model's: it may raise anything
        told = f"the template cannot be rendered with its markers: {error}"
        yield Fault("generation_markers", "warning", told)
        return
    end = next((at for at in reversed(range(len(ids))) if ids[at] == model.ending_id), 0)
    if not mask[end]:
        yield Fault(
            "generation_markers",
            "warning",
            "the {% generation %} markers leave out the end of turn: with assistant_only_loss trl "
            "would train a student that does not stop. potstill does not use them",
            lambda: (excerpt(model.tokenizer, "rendered by the template", ids, end),),
        )


def _marked(model: LintedModel) -> tuple[list[int], list[int]]:
    """Tokens of a question and its answer, and which of them the markers enclose."""
    turns = [{"role": turn.role, "content": turn.content} for turn in (_QUESTION, _ANSWER)]
    made = model.tokenizer.apply_chat_template(
        turns, return_dict=True, return_assistant_tokens_mask=True, **model.template_kwargs
    )
    return list(made["input_ids"]), list(made["assistant_masks"])
