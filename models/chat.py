"""From messages to the tokens a model really sees, when it is served and when it is trained.

Both start from one render: the chat template's generation prompt. A training example is

    tokens of the generation prompt + tokens of the completion + the end-of-turn token, once

so the student is trained on the very prefix it meets when it is served. The completion is tokenised
behind the prompt's end, as one text: alone, a sentencepiece tokenizer would put a space before it.
Where prompt and completion would merge, each is tokenised alone. The template's own render
of the whole conversation is only compared with it (`agreement`), never trained on: many templates
drop or rewrite the thinking of assistant turns (deepseek_r1_distill, qwen3), which would silently
remove the reasoning from the target.

A control token written inside a text (`<|im_end|>` in a question) is refused as
`special_token_in_text`. Encoding it as plain text here would be safe for training, but every chat
server reads it as a control token: what was trained would not be what is served.
`<think>` and `</think>` are not control tokens: they belong to completions.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..pipeline.errors import RequestError
from ..pipeline.sample import Message

THINK: Final = "<think>"
END_THINK: Final = "</think>"
IGNORED: Final = -100
"""Label of a token without loss; the value that torch and trl skip."""

ROLES: Final = frozenset({"system", "user", "assistant"})
REASONS: Final = frozenset(
    {
        "unknown_role",
        "special_token_in_text",
        "not_unicode",
        "template_refuses",
        "no_completion",
        "no_think_after_prefill",
        "think_closed_by_template",
    }
)
_PROBE: Final = "potstillprobe"
_CONTEXT: Final = 64
"""Characters of the prompt's end that a completion is tokenised behind."""


class NotRenderable(RequestError):
    """One row that cannot be rendered; `reason` is one of `REASONS`.

    `token_ids` are the tokens that show why, from position `at` on; empty where none do.
    """

    def __init__(
        self, reason: str, detail: str, token_ids: Sequence[int] = (), at: int = 0
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.token_ids = token_ids
        self.at = at


@dataclass(frozen=True, slots=True)
class RenderedPrompt:
    """A generation prompt: send `token_ids`, show `text`."""

    text: str
    token_ids: list[int]
    prefilled_think: bool
    """The text ends with an open <think>, which the model will therefore not write itself."""

    @property
    def prefill(self) -> str:
        """What the template wrote of the answer ("<think>\\n"): put it back before a completion."""
        return self.text[self.text.rindex(THINK) :] if self.prefilled_think else ""


@dataclass(frozen=True, slots=True)
class RenderedExample:
    """A training example; loss is on `token_ids[completion_start:]`, end of turn included."""

    token_ids: list[int]
    completion_start: int
    text: str
    prompt: RenderedPrompt
    own_render: str
    """What the template itself makes of the whole conversation; only compared, never trained."""
    agreement: str
    """What the template's own render of the conversation makes of it: `same`, `thinking_dropped`,
    `prompt_differs` or `completion_differs`. A fact to report; the tokens are right in any case."""

    @property
    def labels(self) -> list[int]:
        """Token ids with the prompt `IGNORED`."""
        start = self.completion_start
        return [IGNORED] * start + self.token_ids[start:]


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer of a local model folder; the model's own code is never run.

    Raises:
        RequestError: no tokenizer, no chat template, or a template that does not end its turns.
    """
    tokenizer = open_tokenizer(folder)
    if not tokenizer.chat_template:
        raise RequestError(
            f"{folder} has a tokenizer without a chat template, so how to ask it is unknown. Add "
            "chat_template.jinja to the folder, or use the instruct variant of the model."
        )
    end_of_turn(tokenizer)
    return tokenizer


def open_tokenizer(folder: Path) -> Any:
    """The tokenizer as it is, whatever its chat template is worth: what `lint` looks at.

    Raises:
        RequestError: no folder, or no tokenizer in it.
    """
    from transformers import AutoTokenizer

    if not folder.is_dir():
        raise RequestError(f"{folder} is not a folder. Expected a model with its tokenizer.")
    try:
        return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RequestError(
            f"{folder} has no tokenizer that can be loaded: {error}. Expected tokenizer.json and "
            "tokenizer_config.json beside the weights."
        ) from error


def render_prompt(
    tokenizer: Any,
    messages: Sequence[Message],
    template_kwargs: Mapping[str, Any] | None = None,
) -> RenderedPrompt:
    """What the model is given before it writes: all messages and the opened assistant turn.

    Raises:
        NotRenderable: a control token in a text, an unknown role, a template that refuses.
    """
    for message in messages:
        if message.role not in ROLES:
            raise NotRenderable(
                "unknown_role", f"{message.role!r}; expected one of {', '.join(sorted(ROLES))}"
            )
        _encode_text(tokenizer, message.content)
    text = apply_template(tokenizer, messages, template_kwargs, open_turn=True)
    return RenderedPrompt(text, encode(tokenizer, text), text.rstrip().endswith(THINK))


def render_example(
    tokenizer: Any,
    messages: Sequence[Message],
    completion: str | None,
    template_kwargs: Mapping[str, Any] | None = None,
) -> RenderedExample:
    """What the student is trained on: see the module's docstring.

    Raises:
        NotRenderable: as `render_prompt`, and for a completion that does not fit the template.
    """
    if not completion:
        raise NotRenderable("no_completion", "the row has nothing to learn")
    prompt = render_prompt(tokenizer, messages, template_kwargs)
    body = _without_prefill(prompt, completion)
    ending = end_of_turn(tokenizer)
    text = prompt.text + body + ending
    tokens = [*prompt.token_ids, *_encode_behind(tokenizer, prompt.text, body, ending)]
    turns = [*messages, Message("assistant", completion)]
    whole = apply_template(tokenizer, turns, template_kwargs, open_turn=False)
    agreement = _agreement(whole, text, prompt, completion)
    return RenderedExample(tokens, len(prompt.token_ids), text, prompt, whole, agreement)


def end_of_turn(tokenizer: Any) -> str:
    """What the template writes after an assistant's text, to its first added token (`<|im_end|>`).

    Raises:
        RequestError: the template ends no turn, so a student would never learn to stop.
    """
    return _end_of_turn(tokenizer, str(tokenizer.chat_template))


def end_of_turn_id(tokenizer: Any) -> int:
    """Id of the token that ends an assistant's turn: what generation must stop at."""
    return encode(tokenizer, end_of_turn(tokenizer))[-1]


@functools.lru_cache(maxsize=16)
def _end_of_turn(tokenizer: Any, template: str) -> str:
    turns = [Message("user", "question"), Message("assistant", _PROBE)]
    try:
        whole = apply_template(tokenizer, turns, None, open_turn=False)
    except NotRenderable as refusal:
        told = str(refusal).removeprefix(f"{refusal.reason}: ").rstrip(".")
        raise NotRenderable(
            refusal.reason,
            f"the chat template of {tokenizer.name_or_path} cannot show a question and its answer "
            f"({told}). Correct chat_template.jinja in the model's folder, or the template given.",
        ) from refusal
    _, found, rest = whole.rpartition(_PROBE)
    if not found:
        raise RequestError(
            f"the chat template of {tokenizer.name_or_path} does not show what an assistant said "
            f"as it was said (it makes {whole[:60]!r} of a question and the answer {_PROBE!r}), so "
            "nothing can be learned with it. Correct chat_template.jinja in the model's folder."
        )
    added = tokenizer.added_tokens_decoder
    ids = encode(tokenizer, rest)
    for count, token in enumerate(ids, start=1):
        if token in added:
            return str(tokenizer.decode(ids[:count], skip_special_tokens=False))
    raise RequestError(
        f"the chat template of {tokenizer.name_or_path} writes no end-of-turn token after an "
        f"assistant's text (it writes {rest[:40]!r}), so a student would never learn to stop. "
        "Correct chat_template.jinja in the model's folder."
    )


@functools.lru_cache(maxsize=16)
def _control_ids(tokenizer: Any, template: str) -> frozenset[int]:
    """Special tokens and the added tokens that open and end turns, less the thinking tags."""
    added = tokenizer.added_tokens_decoder
    special = {number for number, token in added.items() if token.special}
    turns = apply_template(tokenizer, [Message("user", _PROBE)], None, open_turn=True)
    written = encode(tokenizer, turns + _end_of_turn(tokenizer, template))
    # Encoded, not looked up: a tag that is no token would get the id of the unknown token, which
    # is <|endoftext|> in Qwen2.5.
    tags = [encode(tokenizer, tag) for tag in (THINK, END_THINK)]
    thinking = {tokens[0] for tokens in tags if len(tokens) == 1}
    marks = added.keys() & set(written)
    return frozenset({*special, *tokenizer.all_special_ids, *marks} - thinking)


def encode(tokenizer: Any, text: str) -> list[int]:
    """Tokens of a text that came out of a template: control tokens in it are control tokens."""
    return list(tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])


def _encode_text(tokenizer: Any, text: str) -> list[int]:
    """Tokens of a text by a user or model, in which no control token may stand."""
    _refuse_surrogates(text)
    tokens = encode(tokenizer, text)
    _refuse_control(tokenizer, text, tokens)
    return tokens


def _encode_behind(tokenizer: Any, prompt: str, body: str, ending: str) -> list[int]:
    """Tokens of a completion and its end of turn as they stand behind the prompt."""
    _refuse_surrogates(body)
    context = prompt[-_CONTEXT:]
    before, end = encode(tokenizer, context), encode(tokenizer, ending)
    joined = encode(tokenizer, context + body + ending)
    own = joined[len(before) : len(joined) - len(end)]
    if joined == [*before, *own, *end]:  # nearly always: the completion is tokenised once
        _refuse_control(tokenizer, body, own)
        return [*own, *end]
    alone = _encode_text(tokenizer, body)
    if joined[: len(before)] == before:
        return joined[len(before) :]
    return [*alone, *end]


def _refuse_surrogates(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise NotRenderable("not_unicode", f"half a surrogate pair: {error}") from error


def _refuse_control(tokenizer: Any, text: str, tokens: Sequence[int]) -> None:
    control = _control_ids(tokenizer, str(tokenizer.chat_template))
    if tokenizer.unk_token is not None and tokenizer.unk_token not in text:
        control -= {tokenizer.unk_token_id}  # a character that the vocabulary lacks
    for at, token in enumerate(tokens):
        if token in control:
            raise NotRenderable(
                "special_token_in_text",
                f"{tokenizer.convert_ids_to_tokens(token)!r} stands in a text; any server would "
                "read it as a control token",
                tokens,
                at,
            )


def apply_template(
    tokenizer: Any,
    messages: Sequence[Message],
    template_kwargs: Mapping[str, Any] | None,
    *,
    open_turn: bool,
) -> str:
    turns = [{"role": message.role, "content": message.content} for message in messages]
    try:
        text = tokenizer.apply_chat_template(
            turns, tokenize=False, add_generation_prompt=open_turn, **(template_kwargs or {})
        )
    except Exception as error:  # a template is a program of the model's: it may raise anything
        raise NotRenderable("template_refuses", f"{type(error).__name__}: {error}") from error
    return str(text)


def _without_prefill(prompt: RenderedPrompt, completion: str) -> str:
    """The completion as the model itself must write it after the prompt."""
    if prompt.prefilled_think:
        if not completion.startswith(THINK):
            raise NotRenderable(
                "no_think_after_prefill",
                f"the template opens {THINK} itself, and the completion does not think",
                prompt.token_ids,
                len(prompt.token_ids) - 1,
            )
        whole = completion.removeprefix(prompt.prefill)
        return whole if whole != completion else completion.removeprefix(THINK)
    if prompt.text.rstrip().endswith(END_THINK) and completion.startswith(THINK):
        raise NotRenderable(
            "think_closed_by_template",
            f"the template writes an empty {THINK}{END_THINK}, and the completion thinks again",
            prompt.token_ids,
            len(prompt.token_ids) - 1,
        )
    return completion


def _agreement(whole: str, text: str, prompt: RenderedPrompt, completion: str) -> str:
    if whole.startswith(text):
        return "same"
    thought, closed, _ = completion.removeprefix(THINK).partition(END_THINK)
    if closed and thought.strip() not in whole:
        return "thinking_dropped"
    shown = prompt.text.removesuffix(prompt.prefill)
    return "completion_differs" if whole.startswith(shown) else "prompt_differs"
