r"""Where a completion says "this is the answer": `The answer is 5`, `答案：5`, `#### 5`.

`announcements` finds the phrases, last first, and the text in which each one's claim stands: to the
end of its sentence, or the next line behind a heading. A phrase that denies (`the answer is not 5`
is left to `claims.py`), supposes (`if the answer is 5`), doubts or asks is left out. What the claim
says is for `claims.py` to read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from ...models.thinking import Span
from .sentences import sentences

_MOST_PHRASES = 50
"""Phrases that are tried, from the end: an honest answer has a handful."""
_LONGEST_CLAIM = 2000
"""Characters in which the end of a claim is looked for."""

_MARK = r"[*_`\"'“”’]"
_PHRASE = re.compile(
    rf"""
    (?P<noun>(?<![A-Za-z<])(?:answers?|ans\b\.?|final[ ](?:result|value|solution)
      |correct[ ](?:option|choice|value)))
    (?:
      (?P<label>
        {_MARK}*+(?:[ ]\([^()\n]{{0,40}}\))?{_MARK}*+[ \t]*+(?:[:：=]|=>|[-–—→]+>?[ ])
      | {_MARK}*+(?=[ \t:：]*$)
      | \*\*[ \t]*+(?=[-$\\\d(])
      )
    | (?P<link>(?:[ \t]{{1,4}}[^\s:：=?!。]{{1,30}}){{0,12}}?
        (?:[ \t]{{1,4}}(?:is|are|was|were|equals?|becomes|remains|comes[ ](?:out[ ])?to(?:[ ]be)?
          |(?:would|will|must|should|has[ ]to|ought[ ]to)[ ]be|(?:turns|works)[ ]out[ ]to[ ]be)\b
          |[ \t]?[:：]))
    )
  | (?P<behind>\b(?:is|are|as|be|gives)[ ](?:the|our|my|your)[ ](?:[a-z]+[ ]){{0,3}}?answers?\b)
  | (?P<han_link>(?:答案|(?:最终|最后|计算|运算)的?结果)[^。！？!?\n是为:：=]{{0,12}}?
        (?:[是为]|等于|=)[:：]?
      |选(?:择|项)?[是为]?[:：]?(?=[ ]?[(（]?[A-J](?![A-Za-z])))
  | (?P<han_label>(?:答案|(?:最终|最后)的?结果)[^。！？!?\n是为:：=]{{0,12}}?[:：]
      |(?<![解问])答[ ]?[:：]|答案{_MARK}*+(?=[ \t]*$))
  | ^[ ]{{0,3}}(?P<hashes>\#{{4}})(?!\#)
  | <answer>(?P<tag>[^<]*+(?:<(?!/answer>)[^<]*+)*+)
  | "(?:final[ _])?answer"[ ]?:\s*+(?P<json>"(?P<string>(?:[^"\\]|\\.)*+)"|[^,}}\]\n]*+)
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
_AS_VERB = re.compile(
    r"\b(?:to|can|can['’]t|cannot|let me|let['’]s|will|must|please|could|would|should|i|we|you|not)"
    r"\s+\Z",
    re.IGNORECASE,
)
_NOT_CLAIMED = re.compile(
    r"\b(?:if|whether|suppose|supposing|assume|assuming|imagine|unless|not|cannot|never|neither"
    r"|doubt|wrong|incorrect|depends?|might|may|could|what)\b|n['’]t\b|n['’]t|错误|如果|假设|若|不",
    re.IGNORECASE,
)
_NEVER_MIND = re.compile(r"\b(?:wrong|incorrect|tempting|naive|previous|initial|other)\s*\Z", re.I)
_DONE_TO_IT = re.compile(r"\b(?:by|as|into)\b", re.IGNORECASE)
"""`multiply the answer by 100:` announces no answer."""
_CLAUSE = re.compile(r"[.!?。！？,，;；\n]")
_UP_TO_TEXT = re.compile(rf"(?:{_MARK}|[ \t:：=}}）)\]]|(?<=\S)>)*+")
_TO_NEXT_LINE = re.compile(r"\s*+[*_`\"]*+[ \t]*+")
_ITEM = re.compile(r"(?:[-*+•]|\(?(?:\d|[a-e])[.)])[ \t]+\S")
_HEADING = re.compile(r"\s*(?:\d{1,2}[.)]\s|[*_]*(?:step|part|case|method)\b)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Announcement:
    """A phrase that announces an answer, and where the claim stands."""

    kind: str
    """`link` (the answer is …), `label` (Answer: …), `behind` (… is the answer), `hashes` or
    `field` (`<answer>…</answer>`, `"answer": …`)."""
    phrase: Span
    claim: Span
    """One sentence, list, line or tagged text; may be empty."""
    paragraph_end: int
    """Where the paragraph of the claim ends."""


def announcements(text: str, start: int, end: int) -> Iterator[Announcement]:
    """The announcements in `text[start:end]`, from the last to the first."""
    found = list(_PHRASE.finditer(text, start, end))
    for match in islice(reversed(found), _MOST_PHRASES):
        if _is_claimed(text, match, start) and (one := _announcement(text, match, start, end)):
            yield one


def _is_claimed(text: str, match: re.Match[str], start: int) -> bool:
    """Is it said, rather than denied, supposed, asked or done (`to answer this …`)?"""
    before = text[max(start, match.start() - 80) : match.start()]
    clause = _CLAUSE.split(before)[-1]
    if match["noun"] is not None and (_AS_VERB.search(clause) or _NEVER_MIND.search(clause)):
        return False
    if match["noun"] is None and match["behind"] is None and not match["han_link"]:
        return True
    between = match["link"] or match["han_link"] or match["behind"] or ""
    if _NOT_CLAIMED.search(clause) or _NOT_CLAIMED.search(between):
        return False
    return _DONE_TO_IT.search(between) is None


def _announcement(text: str, match: re.Match[str], start: int, end: int) -> Announcement | None:
    phrase, at = match.span(), match.end()
    if match["behind"] is not None:
        before = max(start, match.start() - _LONGEST_CLAIM)
        *_, (begin, _) = sentences(text, before, at)
        return Announcement("behind", phrase, (begin, match.start()), at)
    for group in ("tag", "string", "json"):
        if match[group] is not None:
            return Announcement("field", phrase, match.span(group), at)
    if match["hashes"] is not None:
        stop = _line_end(text, at, end)
        says_nothing = not text[at:stop].strip() or _HEADING.match(text, at, stop)
        heading = not any(sign.isdigit() for sign in text[at:stop]) and text[stop:end].strip()
        if says_nothing or heading:
            return None
        return Announcement("hashes", phrase, (at, stop), stop)
    labelled = match["label"] is not None or match["han_label"] is not None
    return _sentence_after(text, "label" if labelled else "link", phrase, end)


def _sentence_after(text: str, kind: str, phrase: Span, end: int) -> Announcement | None:
    """The rest of the sentence behind the phrase; where nothing is left in its line, the next."""
    limit = min(end, phrase[1] + _LONGEST_CLAIM)
    begin = _end_of(_UP_TO_TEXT, text, phrase[1], limit)
    if begin < limit and text[begin] == "\n":
        begin = _end_of(_TO_NEXT_LINE, text, begin, limit)
    claim = next(sentences(text, begin, limit), None)
    if claim is None or claim[0] != begin or text[claim[1] - 1] in "?？":
        return None
    blank = text.find("\n\n", claim[1], limit)
    paragraph_end = blank if blank >= 0 else limit
    if "\n" in text[phrase[1] : begin] and _ITEM.match(text, begin, limit):
        claim = begin, paragraph_end
    return Announcement(kind, phrase, claim, paragraph_end)


def _end_of(pattern: re.Pattern[str], text: str, at: int, limit: int) -> int:
    match = pattern.match(text, at, limit)
    return match.end() if match else at


def _line_end(text: str, at: int, end: int) -> int:
    found = text.find("\n", at, end)
    return found if found >= 0 else end
