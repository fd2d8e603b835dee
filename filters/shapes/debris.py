"""Tokens of chat templates and tool tags that were left in a text, and where they stand.

Known are the forms `<|…|>` and `<｜…｜>` (ChatML, Llama 3, Phi, GLM, Harmony, DeepSeek), Gemma's
turns, Llama 2's and Mistral's brackets, `<s>`, `<pad>` and their kin, also with a bracket lost
(`im_end|>`), and the tags in which models call tools and read their results.

Not debris is what is shown instead of used: anything in code (`layout.without_code`), and a token
of which the prompt speaks, within a line of prose. `if a<s>b` and HTML's `<s>struck</s>` are none.
Whether a *student's* tokenizer reads a shown token as a control token is for `models/chat.py`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from ...models.thinking import Span

_BAR = "[|｜]"
_ROLES = "system|user|assistant|developer|tool|ipython|model"
_LONG_NAMES = (
    "im_start|im_end|im_sep|endoftext|eot_id|eom_id|start_header_id|end_header_id|begin_of_text"
    "|end_of_text|start_of_turn|end_of_turn|begin▁of▁sentence|end▁of▁sentence"
)
_TOOL = re.compile(
    rf"<{_BAR}(?:tool|plugin|python_tag|action|function)[^<>|｜\n]{{0,40}}{_BAR}>"
    r"|</?(?:\w{1,20}:)?tool_(?:call|response|result|output|code|use)s?\b[^<>\n]{0,80}>"
    r"|</?(?:\w{1,20}:)?function_(?:call|result)s?\b[^<>\n]{0,80}>"
    r"|<(?:function|parameter)=[\w.-]{1,80}>|</?invoke\b[^<>\n]{0,80}>"
    r"|\[/?(?:TOOL_CALLS?|TOOL_RESULTS?|AVAILABLE_TOOLS)\]",
    re.IGNORECASE,
)
_BARRED = rf"<{_BAR}\s?[^\s<>|｜][^\s<>|｜]{{1,60}}\s?{_BAR}>(?:(?:{_ROLES})\b)?"
_MARKED = (
    r"</?(?:seed:)?(?:bos|eos|pad|unk|sop|eop|eod)(?:_token)?>|<0x[0-9a-f]{2}>"
    r"|<(?:unused|reserved_|extra_id_)\d{1,6}>"
    r"|\[/?INST\]|<</?SYS>>|\[/?SYSTEM_PROMPT\]|\[gMASK\]|\[(?:BOS|EOS|PAD|UNK)\]"
)
_NAMED = (
    rf"(?:<{_BAR}?|(?<![\w|]){_BAR}|(?<![A-Za-z_]))(?:{_LONG_NAMES})(?:{_BAR}>?|>)"
    rf"(?:[ ]?(?:{_ROLES})\b)?"
    rf"|<{_BAR}?(?:{_LONG_NAMES})\b"
)
_WITHOUT_NAMES = re.compile(f"{_BARRED}|{_MARKED}", re.IGNORECASE)
_TEMPLATE = re.compile(f"{_BARRED}|{_NAMED}|{_MARKED}", re.IGNORECASE)
_PART_OF_NAME = re.compile("[_▁](?:start|end|sep|id|header|of)", re.IGNORECASE)
"""In every long name but `endoftext`; what begins with a sign is found sooner."""
_SENTENCE_MARKS = re.compile(
    # <s> begins a line or meets another mark; </s> ends a line or meets another mark.
    r"(?m)^[ \t]*+<s>(?![^<\n]*</s>[^\n]*\S)|<s>(?=\s*(?:\[INST\]|<s>|</s>))|(?<=</s>)<s>"
    r"|</s>(?=[ \t]*(?:$|<s>|</s>|<[|｜]|[|\[]))"
)
_LINE = 200
"""Characters looked at on each side for prose in the same line."""
_STRUCK = re.compile(r"(?<=\S)[ \t]*<s>[^<\n]+</s>")


def tool_tags(text: str) -> list[Span]:
    """Places of tool tags in a text whose code is blanked, those that are only mentioned too."""
    return list(_places(_TOOL, text))


def template_tokens(text: str, tools: Collection[Span], prompt: str = "") -> list[Span]:
    """Places of what else belongs to chat templates in a text whose code is blanked.

    Args:
        tools: places of tool tags.
    """
    may_name = _PART_OF_NAME.search(text) or "endoftext" in text.lower()
    pattern = _TEMPLATE if may_name else _WITHOUT_NAMES
    found = [*_places(pattern, text), *_sentence_marks(text)]
    return sorted(span for span in found if span not in tools and not mentioned(span, text, prompt))


def _places(pattern: re.Pattern[str], text: str) -> Iterator[Span]:
    return (match.span() for match in pattern.finditer(text))


def _sentence_marks(text: str) -> list[Span]:
    """`<s>` and `</s>` that are not HTML's strike-through within a line."""
    if "<s>" not in text and "</s>" not in text:
        return []
    struck = {match.end() for match in _STRUCK.finditer(text)}
    found = (match.span() for match in _SENTENCE_MARKS.finditer(text))
    return [span for span in found if span[1] not in struck]


def mentioned(span: Span, text: str, prompt: str) -> bool:
    """Is it a token the prompt speaks of, with prose before and behind it in its line?"""
    start, end = span
    if text[start:end] not in prompt:
        return False
    before = text[max(0, start - _LINE) : start].rpartition("\n")[2]
    behind = text[end : end + _LINE].partition("\n")[0]
    return bool(before.strip() and behind.strip())
