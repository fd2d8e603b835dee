"""The words in which a model doubts itself, in English and Chinese.

`has_doubt` looks for the beginning of a doubt (`Wait`, `let me double-check`, `不对`, `重新算`).
The words of `ABOUT_CHECKING` say that one is checking, or nothing at all: they are never what a
check found. What a doubt *led to* is judged in `self_doubt.py`.
"""

from __future__ import annotations

import re
from typing import Final

_CHECK: Final = (
    "(?:double|triple)[- ]?check|(?:re-?)?(?:check|verify|read|do|count|examine|consider|calculate"
    "|compute|evaluate|think|trace|work)|confirm|review|go (?:over|through)|(?:start|go) over"
    "|(?:start|try|look|think|see) again|(?:look at|think about|do|try) (?:it|this|that) again"
    "|make sure|be sure"
)
_SELF_CHECK: Final = (
    "(?:let me|let's|i(?:'ll| will| should| need to| must| have to| want to| could| better))"
    "(?: (?:just|quickly|carefully|also|now|try to|go back and|please|first|simply)){0,2}"
    f" (?:{_CHECK})"
)
_MISGIVING: Final = (
    r"(?:th(?:at|is)|it)(?: is|'s| does| do| can)(?:n't| not) (?:(?:seem|look|quite|be) )*"
    r"(?:right|correct|make sense)"
    r"|th(?:at|is) (?:doesn't|does not|can't|cannot) (?:seem|look|be) \w+"
    r"|i(?:'m| am) (?:still )?not (?:(?:so|entirely|really|completely|quite) )?"
    r"(?:sure|certain|convinced)"
    r"|am i (?:sure|right|missing|certain)|(?:did|have) i (?:make|made|miss|misread|forget)"
    r"|(?:maybe|perhaps) i(?:'m| am| was| have| should| need| made| missed| misread| got| did)\b"
    r"|i (?:might|may|could) (?:have|be) (?:made|missed|misread|wrong|mistaken|missing|overlook)"
    r"|is (?:that|this|it) (?:really )?(?:right|correct)|but is (?:that|it|this)\b"
    r"|are (?:we|you) sure|but what if|going in circles"
)
_ZH: Final = (
    r"等等|等一下|等下|慢着|且慢|不对|(?<![\u4e00-\u9fff])不[，,]|嗯"
    r"|再(?:次|来|仔细|认真|好好)?(?:检查|验证|确认|核对|核实|算|验算|看|想|读|审视|推导|考虑|思考"
    r"|梳理)"
    r"|重新(?:检查|验证|计算|审视|考虑|思考|阅读|读|算|看|来|推导|分析|审题|理解|确认|核对|梳理)"
    r"|(?:是不是|会不会|难道|有没有)[^，。？！\n]{0,8}(?:错|漏|误|问题|对)"
    r"|让我(?:们)?(?:再|重新|想想|看看|确认|检查|验证)|不(?:太)?确定|不放心"
    r"|真的(?:对|是这样|正确|没)"
)
_DOUBT_EN: Final = re.compile(
    # The first letters (`i` and `s` have more than two forms) keep the rest from being tried.
    r"\b(?=[whsnadlitmpgb\u017f\u0130\u0131])"
    r"(?:wait|hmm+|hold on|hang on|scratch that|no,|actually,? no|alternatively"
    rf"|double[- ]checking|{_SELF_CHECK}|{_MISGIVING})",
    re.IGNORECASE,
)
_DOUBT_ZH: Final = re.compile(_ZH)


def has_doubt(text: str, start: int, end: int) -> bool:
    """Whether a doubt begins, and is put into words, in `text[start:end]`."""
    if _DOUBT_EN.search(text, start, end):
        return True
    return not text.isascii() and _DOUBT_ZH.search(text, start, end) is not None


_ABOUT_CHECKING: Final = """
    a about above actually again all alright already also am an and any anything are arithmetic as
    ask asked asking asks at be because been before being but by calculate calculated calculation
    calculations can cannot careful carefully case certain check checked checking clear compute
    computed condition confirm confirmed consider consistent consistently correct correctly could
    did do does doing done doubt double each either else ensure entire error errors even every
    everything examine exactly far final fine first follow for from get gets getting give given
    gives go goes going good got had has have he her here him his hmm hold how however i if in
    indeed instead interpret interpretation into is it its itself just kept know last let like
    logic look looking looks made make makes making may maybe me mean means might misread
    misunderstood miss missed missing mistake mistakes mistaken more must my need no nope not
    nothing now obtain of oh ok okay on once one only or other our out over perhaps possible
    problem properly quite question re read reading really reason reasoning recalculate recheck
    recompute reconsider redo reexamine remains reread result results rethink reverify review right
    same say says see seems she should so solution something sound start statement states step
    steps still sum sure than that the their them then there these they thing things think thinking
    this those through thus time times to too total totally triple true try twice understand
    understanding understood unless until up us value values verified verify very wait want was way
    we well were what when where whether which while why will with would wrong yeah yes yet you
    your alternatively approach answer answers came come comes follows holds matches sense slowly
    therefore hence uncertain unsure convinced overlooked overlook forgot forget count counted
    counting miscount miscounted miscounting recount miscalculated miscalculation confirming
    verification clarify confused confusing confusion contradicts contradiction impossible
    overcomplicating overthinking misinterpreted break breaking down redoing retrace back
    previous previously earlier initial initially thought physically write written
    always usually off number another after before both find found tried trying method part
    statement wording worded phrase phrased mixing mixed messed slip slipped typo honestly
"""
ABOUT_CHECKING: Final = frozenset(_ABOUT_CHECKING.split())
ABOUT_CHECKING_ZH: Final = re.compile(
    r"[的了是在有我们你他她它这那个就也都还又再很不没对错吗呢吧啊嗯好和与或把被到从为以所因此而且但是可能"
    r"应该会要想看算说问题答案结果正确检查验证计算重新确认思考考虑仔细认真一遍下次些步骤过程意思理解条件"
    r"已知求解得出等于于真确实果然似乎好像感觉觉得怎么什么哪里其实然后最后最终首先接着现在刚才前面上面之"
    r"后先让来去做用无误漏弄搞清楚放心定肯定样此读审遗]+"
)
