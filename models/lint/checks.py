"""The checks by name, in the order in which they are told, and what each holds.

The names are those of `potstill lint --json`, of a training step's refusal and of
`docs/templates.md`. `ROW_CHECKS` are asked of every row that renders.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from .check_mask import ends_once, nothing_masked_wrongly, prompt_masked, row_fully_masked
from .check_prompt import markers_in_text, messages_shown
from .check_render import own_render
from .check_serving import boundary_merge, depends_on_clock, double_bos, train_equals_serve
from .check_text import prompt_survives, text_survives, think_opened_once, thought_answered
from .finding import Fault
from .linted import LintedRow

CHECKS: Final[Mapping[str, str]] = {
    "no_template": "the tokenizer has a chat template",
    "no_end_of_turn": "the template shows what an assistant said, and ends the turn with a token",
    "no_eos": "the tokenizer has an EOS token",
    "no_rows": "there are rows",
    "unreadable_row": "the row can be read",
    "unknown_role": "the roles are system, user and assistant",
    "no_completion": "the row has something to learn",
    "not_unicode": "the texts are whole Unicode",
    "special_token_in_text": "no text holds a control token, which a server would obey",
    "template_refuses": "the template takes the messages",
    "no_think_after_prefill": "where the template opens <think>, the completion thinks",
    "think_closed_by_template": "where the template closes thinking, the completion has none",
    "cut_off": "the completion was not cut by a token limit",
    "too_long": "the row fits, so that nothing is cut",
    "thinking_survives": "the whole thought and answer are trained, and survive the template",
    "text_normalised": "the tokenizer keeps characters as they are",
    "prefilled_think": "<think> stands once in the turn",
    "think_block": "a thought is opened and closed, and an answer follows",
    "prompt_masked": "no token of the prompt is under the loss",
    "nothing_masked_wrongly": "every token of the completion is under the loss",
    "row_fully_masked": "the row teaches more than to stop",
    "ends_once": "the end of turn is trained exactly once, at the end",
    "train_equals_serve": "the prompt's tokens are those that a server makes",
    "prompt_is_prefix": "the served prompt begins the template's render of the conversation",
    "completion_rewritten": "the template leaves the completion as it is",
    "prompt_rewritten": "the template leaves the messages as they are",
    "prompt_lost": "the tokenizer keeps the prompt's characters",
    "history_thinking": "the thinking of earlier turns stays in the prompt",
    "boundary_merge": "no token reaches over from the prompt into the completion",
    "double_bos": "the beginning-of-text token stands once",
    "depends_on_clock": "the prompt is the same tomorrow",
    "no_generation_prompt": "the template opens the assistant's turn",
    "templates_disagree": "the folder has one chat template",
    "server_stops": "a server stops at the end of turn",
    "pad_is_end_of_turn": "the end of turn is not the pad token",
    "generation_markers": "the template marks what an assistant wrote",
    "think_tags_split": "<think> and </think> are one token each",
}

ROW_CHECKS: Final[tuple[Callable[[LintedRow], Iterator[Fault]], ...]] = (
    text_survives,
    think_opened_once,
    thought_answered,
    prompt_survives,
    prompt_masked,
    nothing_masked_wrongly,
    row_fully_masked,
    ends_once,
    train_equals_serve,
    messages_shown,
    markers_in_text,
    boundary_merge,
    double_bos,
    depends_on_clock,
    own_render,
)
