"""Is the completion one closed `<think>…</think>` with an answer after it, and nothing else?

Only the shape is judged, never the content. Every defect has its own reason; the verdict gives the
gravest, in the order of `_REASONS` below, and the evidence the places of all (`defects`). A
completion that the token limit cut is `truncated` whatever it looks like: its end is missing even
where the tags are whole.

* A tag is a tag wherever it stands, in code too: templates and servers split there all the same.
* A thought or answer of white space, rules, dots or a heading alone (`**Final Answer**`) is empty.
* Template tokens, tool tags and role headers are not counted where they are shown as code, or where
  the prompt speaks of them (`debris.py`, `role_headers.py`).

For other templates: `open_tag` and `close_tag`, further pairs in `also_tags` (a completion is
judged by the first pair of which a tag occurs in it), `prefilled` where the template wrote the
opening tag and it was not put back (it may be there as well), and `allow` for what is no defect in
this data set: `[no_thinking]` for general data, `[tool_call]` for agents.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final, Literal

from pydantic import Field, model_validator

from ..models.thinking import CLOSE, OPEN, Span, Tags
from ..pipeline.filter import RowFilter
from ..pipeline.sample import Sample
from ..pipeline.verdict import Json, Verdict
from .shapes.shape import Shape, shape_defects
from .shapes.wrong_tags import wrong_tags

Allowable = Literal[
    "no_thinking",
    "empty_thinking",
    "text_before_thinking",
    "template_debris",
    "tool_call",
    "role_header",
]
_REASONS: Final[tuple[str, ...]] = (
    "truncated",  # finish_reason is length
    "no_thinking",  # neither tag
    "thinking_not_closed",
    "thinking_not_opened",
    "nested_thinking",  # a block opened inside a block
    "repeated_thinking",  # a second block
    "thinking_closed_twice",  # a closing tag behind the closed block
    "text_before_thinking",
    "empty_thinking",
    "no_answer",  # nothing to read behind the block
    "wrong_thinking_tag",  # <thinking>, <Think>, < think >, a foreign template's tag
    "answer_tag_not_closed",  # <answer> without </answer>, or the other way round
    "template_debris",
    "tool_call",
    "role_header",  # another turn, or the header of this one
)
_TOLD_BY_A_WRONG_TAG: Final = frozenset(
    {"no_thinking", "thinking_not_closed", "thinking_not_opened"}
)
_MOST_SPANS: Final = 20


class Format(RowFilter):
    """1.0 for `<think>thought</think>answer`, else 0.0 with the gravest defect."""

    kind: ClassVar[str] = "format"
    version: ClassVar[int] = 2
    reasons: ClassVar[frozenset[str]] = frozenset({"ok", "no_completion", *_REASONS})

    open_tag: str = Field(default=OPEN, min_length=1)
    close_tag: str = Field(default=CLOSE, min_length=1)
    also_tags: tuple[tuple[str, str], ...] = ()
    """Further accepted pairs of opening and closing tag."""
    prefilled: bool = False
    allow: frozenset[Allowable] = frozenset()

    @model_validator(mode="after")
    def _tags_can_be_told_apart(self) -> Format:
        for tags in self._pairs():
            if not (tags.open and tags.close) or tags.open in tags.close or tags.close in tags.open:
                raise ValueError(
                    f"the tags {tags.open!r} and {tags.close!r} cannot be told apart: neither may "
                    "be empty or contain the other"
                )
        return self

    def judge_one(self, sample: Sample) -> Verdict:
        text = sample.completion
        if text is None:
            return Verdict(None, "no_completion")
        prompt = "\n".join(message.content for message in sample.prompt)
        shape = Shape(text, self._tags_of(text), self.prefilled, prompt, sample.question)
        found = shape_defects(shape) | _some("wrong_thinking_tag", wrong_tags(shape))
        if sample.generation is not None and sample.generation.finish_reason == "length":
            found["truncated"] = [(len(text), len(text))]
        counted = {name: found[name] for name in _REASONS if name in found.keys() - self.allow}
        if not counted:
            return Verdict(1.0, "ok")
        return Verdict(0.0, _gravest(counted), {"defects": _as_json(counted)})

    def _pairs(self) -> list[Tags]:
        return [Tags(self.open_tag, self.close_tag), *(Tags(*pair) for pair in self.also_tags)]

    def _tags_of(self, text: str) -> Tags:
        pairs = self._pairs()
        return next((each for each in pairs if each.open in text or each.close in text), pairs[0])


def _some(reason: str, spans: list[Span]) -> dict[str, list[Span]]:
    return {reason: spans} if spans else {}


def _gravest(found: Mapping[str, list[Span]]) -> str:
    first = next(iter(found))
    if first in _TOLD_BY_A_WRONG_TAG and "wrong_thinking_tag" in found:
        return "wrong_thinking_tag"
    return first


def _as_json(found: Mapping[str, list[Span]]) -> dict[str, Json]:
    return {
        reason: [[start, end] for start, end in spans[:_MOST_SPANS]]
        for reason, spans in found.items()
    }
