"""Turns of a conversation that a model went on to write by itself: `Human:`, `Assistant:`, `user`.

A header begins a line. It counts behind an answer, and at its very beginning (`Assistant: 5`); in
a thought, only a question's header with an answer's header behind it does, because thoughts speak
of the user. These are no headers: entries of a list (`Human: 46` among `Dog: 78`), lines that the
prompt itself has, code (blanked by the caller), and anything in an answer to a question that asks
for a dialogue. A lone `user` or `assistant` line is what is left of a template whose special tokens
were dropped.
"""

from __future__ import annotations

import itertools
import re
from typing import Final

from ...models.thinking import Span

_ASKER = "Human|User|HUMAN|USER|用户|人类"
_HELPER = "Assistant|ASSISTANT|AI Assistant|助手|AI助手|智能助手"
_HEADER = re.compile(
    rf"(?m)^[ \t]*(?:(?P<asker>{_ASKER})|(?P<helper>{_HELPER}))[ \t]?[:：]"
    r"|^[ \t]*\#{2,4}[ \t]*(?P<marked>(?:Instruction|Response|Input|Human|User|Assistant|System)"
    r"[ \t]?[:：]|Instruction[ \t]*$)"
    r"|^(?P<lone>user|assistant)[ \t]*$"
)
_GLUED = re.compile(r"(?<=[.!?。！？)}$])(?:user|assistant)\n")
_ASKS_FOR_DIALOGUE = re.compile(
    r"(?i)\b(?:write|writ|creat|generat|compos|produc|simulat|continu|complet|mak|giv|convert|"
    r"rewrit|translat|summari|edit|design|develop|provid|imagin|construct|role)\w{0,4}\b"
    r"[^.!?\n]{0,120}?"
    r"\b(?:dialog(?:ue)?s?|conversations?|chats?|scripts?|transcripts?|interviews?|role-?play|"
    r"skit|screenplay)\b"
    r"|对话|聊天|剧本|访谈|角色扮演|情景剧|小品|脚本"
)
_ENOUGH: Final = 20
_ENTRY = re.compile(r"[ \t]*(?:[-*•][ \t]*)?([A-Za-z\u4e00-\u9fff][^:：\n]{0,30})[:：]")
_NO_LABEL = re.compile(rf"(?i)(?:{_ASKER}|{_HELPER}|system|.*answer|.*solution|.*答案|解|答)")


def answer_headers(answer: str, question: str) -> list[Span]:
    """The first headers in an answer whose code is blanked; spans within the answer."""
    matches = [*_HEADER.finditer(answer), *_GLUED.finditer(answer)]
    if not matches or _ASKS_FOR_DIALOGUE.search(question):  # the question last: it is slow to read
        return []
    spans = (match.span() for match in matches)
    return sorted(
        itertools.islice((each for each in spans if not _quoted(each, answer, question)), _ENOUGH)
    )


def thought_headers(thought: str, question: str) -> list[Span]:
    """The first question's header with an answer's header behind it, in a thought."""
    matches = [*_HEADER.finditer(thought)]
    if not matches or _ASKS_FOR_DIALOGUE.search(question):
        return []
    asker: Span | None = None
    for match in matches:
        if _quoted(match.span(), thought, question):
            continue
        if match["asker"]:
            asker = asker or match.span()
        elif asker and match["helper"]:
            return [asker, match.span()]
    return []


def _quoted(span: Span, text: str, question: str) -> bool:
    """Is the line one of the prompt's, or an entry of a list?"""
    start = text.rfind("\n", 0, span[0] + 1) + 1
    line = text[start : start + 200].lstrip("\n").partition("\n")[0].strip()
    return (len(line) > span[1] - span[0] and line in question) or _in_list(start, text)


def _in_list(start: int, text: str) -> bool:
    """Do other labels than roles stand around: one right behind, or two in the lines next to it?"""
    before = text[max(0, start - 400) : start].rstrip("\n").rpartition("\n\n")[2].split("\n")[-2:]
    behind = text[start : start + 600].partition("\n\n")[0].split("\n")[1:3]
    labels = set(map(_label, [*before, *behind])) - {None}
    return _label(behind[0] if behind else "") is not None or len(labels) >= 2


def _label(line: str) -> str | None:
    """What stands before the colon of a line, unless it is a role or heads an answer."""
    entry = _ENTRY.match(line)
    label = entry[1].strip() if entry else None
    return label if label and not _NO_LABEL.fullmatch(label) else None
