"""Where prose says which option is the answer: "The answer is C", "故选：C", "B is correct".

Two ranks. A *decision* names the answer or a choice; the last one holds, whatever is said of other
options around it. An *opinion* calls an option correct or ends a "so" with it; it counts only where
nothing was decided. What stands under an "if", was negated, asked or put into another's mouth is
neither. A word that takes back what was said ("wait", "不对") makes what follows count first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from .choice_letters import Letters, Named

_NOUN: Final = (
    r"(?:answers?|(?:correct|right|best|final|appropriate|suitable|accurate|valid|matching|proper"
    r"|remaining)\s+(?:choice|option|statement|response|letter|one|selection)s?"
    r"|(?<![\w-])(?:choice|option|selection)|\bans\b"
    r"|\b(?:correct|result|conclusion|solution|verdict|final)(?=\s?:)"
    r"|\b(?:my|our)\s+(?:\w+\s+)?(?:pick|guess|vote))\b"
)
_GAP: Final = (
    r"(?:\s+(?:choice|option|letter|here|then))?"
    r"(?:\s+(?:to|for|of|in|among|from|given|that|which|based|by)\b[^.!?:\n]{0,80}?)?"
    r"(?:\s?,[^,.!?:\n]{1,40},)?"
)
_IS: Final = (
    r"\s*+(?:(?:is|are|was|were|(?:would|should|must|will|ha[sv]e?\s+to|seems\s+to|appears\s+to)"
    r"\s+be|becomes|remains|being)\b\s*+:?|'s\b|:|\?|=>?|-+>|→|⇒|>|\||[-–—]|\n)"
)
_FILL: Final = re.compile(
    r"(?:\s*+(?:(?:clearly|definitely|certainly|obviously|indeed|therefore|thus|hence|simply|just"
    r"|most|likely|probably|actually|still|now|really|exactly|undoubtedly|in\s+fact|of\s+course"
    r"|(?:likely\s+)?to\s+be|also|only|either|both|options?|choices?|letters?|answers?|the|correct"
    r"|statement|given\s+by|labell?ed|item)\b|:|->|→|\#|选项|选择|选|为|是)){0,8}+\s*+",
    re.IGNORECASE,
)
_DECISIONS: Final = re.compile(
    rf"(?:{_NOUN}{_GAP}{_IS}|\bans\.(?=\s)"
    r"|\b(?:choose|chose|chosen|choosing|select(?:s|ed|ing)?|pick(?:s|ed|ing)?|opt(?:ed|ing)?\s+for"
    r"|go(?:es|ing)?\s+with|went\s+with|settle\s+(?:on|for)|circle|mark)\b"
    r"|答案(?:选项|应该|应当|应|就|只能|显然|可能|必然|一定|确实|仍然|最终|无疑|便|即)*\]?\s?(?:是|为|选择|选|[:=>|→-])*"
    r"|(?:^|(?<=[\s。.!?;,]))答\s?:"
    r"|(?<![不别误错若未没能否可多单任筛候推精挑])选(?![项手举修出用题民取自中拔])(?:择|定)?"
    r"(?:答案|选项)?(?:是|为|了)?\s?:?"
    r"|(?<![不非])(?:正确|最佳|合理)的?(?:选项|选择)(?:应该|应|就)*(?:是|为|有|:)+"
    r"|(?<![不非])(?:正确|符合题意|符合要求|恰当|合适|合理|准确|成立)的"
    r"(?:选项|说法|答案|一项|一个|结论|叙述|描述|表述|命题|选择|组合)*(?:应该|应|就|只)*(?:是|为|有|:)+"
    r"|(?:antwort|respuesta|r[ée]ponse|resposta|risposta|ответ|정답|答え|正解)"
    r"(?:\s(?:correcta|correcte|correta|corretta|finale?|finale))?\s?(?:ist|est|es|é|è|は|은|는)?\s?:?)",
    re.IGNORECASE | re.MULTILINE,
)
_OPINIONS: Final = re.compile(
    rf"\bonly(?=\s)|只有|{_NOUN}{_GAP}\s+(?:could|may|might|can)\s+be\b"
    r"|(?<!正确)(?:不正确|错误|不符合题意|不恰当|不合理|不成立)的"
    r"(?:选项|说法|一项|一个|结论|叙述|描述|表述|命题)*(?:应该|应|就|只)*(?:是|为|有|:)+"
    r"|\b(?:correspond(?:s|ing)?\s+to|match(?:es|ing)?|leav(?:es?|ing)(?:\s+us)?(?:\s+only)?"
    r"(?:\s+with)?|leads?\s+to|points?\s+to|supports?|favou?rs?|indicates?|suggests?|which\s+is"
    r"|this\s+is|that\s+is)\s+(?:only\s+)?(?:the\s+)?(?:answer\s+)?(?=(?:option|choice|letter)\b)",
    re.IGNORECASE,
)
_SO: Final = re.compile(
    r"(?:\b(?:so|thus|therefore|hence|consequently|accordingly|overall|conclusion|but(?:\s+rather)?"
    r"|definitely|clearly|probably|certainly|obviously|undoubtedly|it's|it\s+is"
    r"|it\s+must\s+be|must\s+be|has\s+to\s+be|that's|that\s+is|this\s+is|say|looks?\s+like|leav(?:es|ing)(?:\s+us)?(?:\s+only)?(?:\s+with)?)\b|⇒|∴|[=-]>|→"
    r"|故|所以|因此|因而|从而|应该是|应为|就是|而是|显然|综上(?:所述)?)\s*+,?\s*+"
    r"(?:(?:it(?:'s|\s+is|\s+must\s+be)|that's|this\s+is|we\s+(?:get|have))\s)?",
    re.IGNORECASE,
)
_ENDS: Final = re.compile(r"\s?(?:选项|项)?\)?[^\S\n]*+(?:[.!;。]|\n|\Z)")

_IS_ANSWER: Final = re.compile(
    r"\s*+(?:(?:is|are|was|(?:would|must|should|will)\s+be)\s+(?:(?!not\b)\w+\s+)?(?:the|our|my)\s+"
    r"(?:(?!wrong|incorrect|other|second|worst|first|next|previous|initial|same)\w+\s+){0,2}"
    r"(?:answer|choice|option)s?\b(?!\s+(?:if|only|when|unless|had|under)\b"
    r"|\s+(?:for|to|in)\s+(?!(?:the|this|our)\s+(?:given\s+)?(?:question|problem)))"
    r"|(?:选项|项)?(?:就|才)?[是为](?:[本此该]题)?的?(?:最终|正确|最佳)?的?答案)",
    re.IGNORECASE,
)
_IS_CORRECT: Final = re.compile(
    r"\s*+(?:[✓✔✅√]|[.):](?:(?!incorrect|wrong|false|not\b|[✗✘❌错误不\n]).){0,200}?"
    r"(?:[✓✔✅√]|(?:[-–—(>=]|\bthis\s+is|\bit\s+is)\s?(?:the\s+)?(?:correct|right|true)\b"
    r"|[,;:—-]\s?(?:说法|描述|此项|该项|故|所以)?正确(?=[.;!\n]|\Z))|(?:[:.)–—-]\s*+|(?:is|are|was|must\s+be|seems|appears|looks|remains|as)\s+)"
    r"(?:(?:clearly|therefore|thus|hence|definitely|indeed|also|both|all|the|most|certainly|only"
    r"|obviously|entirely|completely)\s+)*(?:correct|right|true|accurate|valid|best|appropriate"
    r"|[✓✔✅√])(?!\w|\s*+\?|\s+(?:if|only|when|unless|that|in|to)\b)"
    r"|(?:选项|项)?的?(?:说法|描述|叙述|表述|结论|观点|命题)?[均都是为才最也,:]{0,3}(?:完全|显然)?"
    r"(?:正确|符合题意|符合条件|符合要求|成立|真命题|最?合适|最?恰当|最?准确|最佳|对(?=[的,.。;!\s]|\Z))"
    r"(?![与否性吗]))",
    re.IGNORECASE,
)
_ASKED: Final = re.compile(r"\s*+(?:[)\]])?\s?(?:\?|吗|呢|的话)")
_NOT_MEANT: Final = re.compile(
    r"\b(?:if|whether|suppos\w+|assum\w+|unless|imagine|pretend)\b"
    r"|\b(?:might|may|could|would|tempt\w*\s+to)\s+(?:\w+\s+)?(?:think|say|believe|guess|assume|argue"
    r"|expect|choose|pick|select|conclude|be\s+tempted)\b"
    r"|(?:n't|\bnot|\bnever|\bcannot|\bavoid)\s+(?:(?:think|believe|say|mean|that|the|to|want|go)\s+)*\Z"
    r"|\b(?:wrong|incorrect|false|initial|previous|other|original|earlier|first|tempting)\s+\Z"
    r"|如果|假如|假设|若|是否|并非|不是|难道|误以为|误认为|不要|不应|不该|排除",
    re.IGNORECASE,
)
_CLAUSE_BEGINS: Final = re.compile(r"[.!?;:,\n。](?!.*[.!?;:,\n。])", re.DOTALL)
_TAKEN_BACK: Final = re.compile(
    r"\b(?:wait|hold\s+on|correction|scratch\s+that|on\s+second\s+thought|let\s+me\s+(?:re-?\w+"
    r"|double-?check|correct)|i\s+made\s+an?\s+(?:\w+\s+)?(?:mistake|error))\b"
    r"|不对[,.。!]|等等|更正|我(?:算|看|弄|搞)?错了|重新(?:计算|考虑|检查|审题)",
    re.IGNORECASE,
)
_LOOK_BACK: Final = 60
_CANDIDATE: Final = (
    r"(?i:\b(?:option|choice|answer|statement)s?\s{{1,3}})|选项\s{{0,3}}"
    r"|(?<![A-Za-z0-9_\\^'’.-])(?=[(\[]\s?[{0}{1}]\s?[)\]]|[{0}])"
)


def taken_back(letters: Letters) -> int:
    """Where the text begins that counts first: behind the last word that takes something back."""
    ends = [0, *(word.end() for word in _TAKEN_BACK.finditer(letters.plain))]
    return ends[-1]


def decisions(letters: Letters, start: int) -> list[Named]:
    """What the text from `start` on names as the answer, in order."""
    said = [
        named
        for cue in _DECISIONS.finditer(letters.plain, start)
        if (named := _after(letters, cue, before_verb=False)) is not None
    ]
    said += _judged(letters, start, _IS_ANSWER)
    return sorted(said, key=lambda named: named.start)


def opinions(letters: Letters, start: int) -> list[Named]:
    """Which options the text from `start` on calls right or ends with, in order."""
    text = letters.plain
    said = [
        named
        for cue in _OPINIONS.finditer(text, start)
        if (named := _after(letters, cue, before_verb=False)) is not None
    ]
    said += [
        named
        for cue in _SO.finditer(text, start)
        if (named := _after(letters, cue, before_verb=True)) and _ENDS.match(text, named.end)
    ]
    said += _judged(letters, start, _IS_CORRECT)
    return sorted(said, key=lambda named: named.start)


def decision_cues(letters: Letters, start: int) -> Iterator[int]:
    """Where something follows "the answer is", be it a letter or not."""
    for cue in _DECISIONS.finditer(letters.plain, start):
        if _meant(letters.plain, cue.start()):
            yield cue.end()


def mentions(letters: Letters, start: int) -> Iterator[tuple[Named, bool]]:
    """Options named anywhere, and whether by a word such as "option"."""
    pattern = re.compile(_CANDIDATE.format(letters.alphabet, letters.alphabet.lower()))
    end = start
    for place in pattern.finditer(letters.plain, start):
        if place.end() >= end and (named := letters.read(place.end())) is not None:
            end = named.end
            yield named, bool(place.group().strip())


def _after(letters: Letters, cue: re.Match[str], *, before_verb: bool) -> Named | None:
    """The letters behind a cue, if they are meant."""
    filled = _FILL.match(letters.plain, cue.end())
    at = filled.end() if filled else cue.end()
    named = letters.read(at, before_verb=before_verb)
    if named is None or _ASKED.match(letters.plain, named.end):
        return None
    return named if _meant(letters.plain, cue.start()) else None


def _judged(letters: Letters, start: int, verdict: re.Pattern[str]) -> list[Named]:
    """Letters of which `verdict` is said."""
    return [
        named
        for named, _ in mentions(letters, start)
        if verdict.match(letters.plain, named.end) and _meant(letters.plain, named.start)
    ]


def _meant(text: str, at: int) -> bool:
    """Whether what begins at `at` is asserted, by the words of its clause before it."""
    before = text[max(0, at - _LOOK_BACK) : at]
    if clause := _CLAUSE_BEGINS.search(before):
        before = before[clause.end() :]
    return _NOT_MEANT.search(before) is None
