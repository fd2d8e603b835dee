"""The tokenizer that a student is trained with: what its folder brings, and what it is given.

Given are, where asked for or missing: a chat template with its control tokens, tokens such as
<think>, and a token for padding. All of it happens before any row is rendered, so that training,
the saved folder and a server see one tokenizer. No weights are read: which embeddings are then new
is told to `vocabulary.py`.

Padding is never the end of turn: collators that mask padding would mask the one token that teaches
to stop (https://github.com/huggingface/open-r1/issues/492), and torch gives the embedding of the
padding token no gradient.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ...models.chat import encode, end_of_turn, end_of_turn_id, load_tokenizer, open_tokenizer
from ...pipeline.errors import RequestError
from ..settings import StudentSettings
from .presets import PRESETS, fitting_preset

KEPT: Final = "kept"
_SPARE: Final = (
    "<|endoftext|>",  # Qwen
    "<|finetune_right_pad_id|>",  # Llama 3.1 and later
    "<|reserved_special_token_0|>",  # Llama 3
    "<｜▁pad▁｜>",  # DeepSeek-V2, V3
    "<|pad|>",
    "<pad>",
    "[PAD]",
    "<unk>",  # Llama 2, Mistral
)
"""Tokens that may pad, in the order in which they are tried."""
_NEW_PAD: Final = "<|pad|>"


@dataclass(frozen=True, slots=True)
class Changes:
    """What a student was given that its folder does not bring."""

    template: str = KEPT
    """`kept`, the name of a preset, or `file`."""
    pad: str | None = None
    """The new padding token; None: its own is kept."""
    added: tuple[str, ...] = ()
    """Tokens without a trained embedding, by id."""
    first: int | None = None
    """The id of the first of them; all that follow are new."""
    trained: tuple[int, ...] = ()
    """Tokens whose embeddings are trained beside a LoRA adapter: new ones, and the control tokens
    of a given template, which a base model has often never seen."""

    @property
    def any(self) -> bool:
        """Whether the tokenizer differs from the one in the folder."""
        return self != Changes()

    @property
    def notes(self) -> list[str]:
        """What the user should know, as sentences."""
        told = []
        if self.template != KEPT:
            told.append(f"the student is given a chat template ({self.template})")
        if self.added:
            told.append(f"new tokens: {', '.join(self.added)}")
        if self.pad is not None:
            told.append(f"padding is {self.pad}: a token that ends no turn")
        return told


def student_tokenizer(
    folder: Path, settings: StudentSettings, template: Path | None, embeddings: int | None
) -> tuple[Any, Changes]:
    """The tokenizer to train with, and what was changed in it.

    Args:
        template: the file that `settings.template` names; None where it names none.
        embeddings: rows of the model's embedding, as far as its config says it.

    Raises:
        RequestError: no usable template and no way to give one, no end of sequence, or tokens that
            have no embedding.
    """
    tokenizer = load_tokenizer(folder) if settings.template == "keep" else open_tokenizer(folder)
    size = token_count(tokenizer)
    name, control = _give_template(tokenizer, settings.template, template)
    for token in settings.add_tokens:
        _add(tokenizer, token, special=False)
    _refuse_without_eos(tokenizer, folder)
    pad = _give_padding(tokenizer)
    first = _first_new(tokenizer, size, embeddings, settings.add_tokens, folder)
    new = () if first is None else tuple(range(first, token_count(tokenizer)))
    added = tuple(str(tokenizer.convert_ids_to_tokens(number)) for number in new)
    trained = {*new, *tokenizer.convert_tokens_to_ids(list(control))}
    return tokenizer, Changes(name, pad, added, first, tuple(sorted(trained)))


def token_count(tokenizer: Any) -> int:
    """One more than the largest id; `len` counts less where a vocabulary has gaps."""
    return max(tokenizer.get_vocab().values(), default=-1) + 1


def _give_template(tokenizer: Any, wanted: str, file: Path | None) -> tuple[str, tuple[str, ...]]:
    """Set the template where one is to be given; its name, and the control tokens it brings."""
    if file is not None:
        tokenizer.chat_template = _read(file)
        end = tokenizer.convert_ids_to_tokens(end_of_turn_id(tokenizer))
        tokenizer.eos_token = end
        return "file", (str(end),)
    if wanted == "keep" or (wanted == "auto" and _ends_its_turns(tokenizer)):
        return KEPT, ()
    name = _found_family(tokenizer) if wanted == "auto" else wanted
    preset = PRESETS[name]
    for token in preset.tokens:
        _add(tokenizer, token, special=True)
    tokenizer.chat_template = preset.template
    tokenizer.eos_token = preset.end_of_turn
    return name, preset.tokens


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"the chat template {file} cannot be read: {error}") from error


def _ends_its_turns(tokenizer: Any) -> bool:
    if not tokenizer.chat_template:
        return False
    try:
        end_of_turn(tokenizer)
    except RequestError:
        return False
    return True


def _found_family(tokenizer: Any) -> str:
    name = fitting_preset(tokenizer)
    if name is None:
        raise RequestError(
            f"{tokenizer.name_or_path} has no chat template that ends its turns, and its "
            "vocabulary shows no family that is known here. Set template: to one of "
            f"{', '.join(PRESETS)} (the control tokens are then added), or to a file such as "
            "./chat.jinja; or use the instruct variant of the model."
        )
    return name


def _add(tokenizer: Any, token: str, *, special: bool) -> None:
    from transformers import AddedToken

    if encode(tokenizer, token) != [tokenizer.convert_tokens_to_ids(token)]:
        tokenizer.add_tokens([AddedToken(token, special=special, normalized=False)])


def _refuse_without_eos(tokenizer: Any, folder: Path) -> None:
    if tokenizer.eos_token_id is None:
        end = tokenizer.convert_ids_to_tokens(end_of_turn_id(tokenizer))
        raise RequestError(
            f"the tokenizer in {folder} has no eos_token, so what reads its files does not know "
            f'where a text ends. Set "eos_token": "{end}" in its tokenizer_config.json (what its '
            "chat template ends a turn with)."
        )


def _give_padding(tokenizer: Any) -> str | None:
    """Set a padding token that ends no turn; None where there is one."""
    end = end_of_turn_id(tokenizer)
    if tokenizer.pad_token_id not in (None, end):
        return None
    known = tokenizer.get_vocab()
    spare = (token for token in _SPARE if known.get(token, end) != end)
    pad = next(spare, _NEW_PAD)
    _add(tokenizer, pad, special=True)
    tokenizer.pad_token = pad
    return pad


def _first_new(
    tokenizer: Any, size: int, embeddings: int | None, listed: tuple[str, ...], folder: Path
) -> int | None:
    """The first id without a trained embedding; None where all have one.

    Tokens that the tokenizer has and the model has not are new if they are in `add_tokens`.
    """
    ids = range(min(size, embeddings or size), token_count(tokenizer))
    without = map(tokenizer.convert_ids_to_tokens, range(ids.start, size))
    unknown = [token for token in without if token is not None and token not in listed]
    if unknown:
        raise RequestError(
            f"the tokenizer in {folder} has {size} tokens and the model only {embeddings} "
            f"embeddings: {len(unknown)} have none, such as {unknown[0]!r}. Use the tokenizer that "
            f"belongs to the model, or name them in add_tokens: they are then new ones."
        )
    return ids.start if ids else None
