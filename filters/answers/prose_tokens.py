r"""The tokens of prose with math in it: numbers with their signs, formulas, units, words.

One pattern cuts a text once, from left to right; `lastgroup` names the kind of a token. What it
does not match (full stops, semicolons, blanks) stands between tokens. It knows no grammar: which
tokens belong together is for `prose_expressions.py` to say.
"""

from __future__ import annotations

import re

from .sentences import MATH

_CURRENCY = r"(?:(?:US|HK|AU|CA|NZ|S)?\\?\$|[¥￥€£₹]|RM\ ?|Rs\.?\ ?)"
_DIGITS = r"""
    \d{1,3} (?: (?:[,，]|\{,\}|,?\\[,!]|[ \u00a0\u2009\u202f]) \d{3} )++ (?!\d) (?:\.\d+)?
  | \d{1,3} (?: \.\d{3} ){2,} (?!\d)
  | \d+ [ ]+ \d{1,4}/\d{1,4} (?!\d)
  | \d+ (?:\.\d+)? (?: [eE][-+]?\d+ (?![A-Za-z]) )? | \.\d+
"""
_SCALES = (
    "hundred thousand million billion trillion hundreds thousands millions billions "
    "percent pct per\\ cent and\\ a\\ half and\\ one\\ half and\\ a\\ quarter"
)
_UNITS = """
    km cm mm dm kg mg ml cl ft lb lbs oz mph kph km/h m/s hr hrs min mins sec secs feet foot inch
    inches mile miles yard yards meter meters metre metres kilometer kilometers centimeter
    centimeters gram grams kilogram kilograms pound pounds ounce ounces liter liters litre litres
    gallon gallons second seconds minute minutes hour hours day days week weeks month months year
    years cent cents dollar dollars euro euros yuan degree degrees radians a.m. p.m. am pm AM PM
"""
_HAN_UNITS = (
    "平方千米 平方厘米 平方分米 平方米 立方厘米 立方分米 立方米 千米 厘米 毫米 分米 公里 公顷 公斤 "
    "千克 毫克 毫升 小时 分钟 美元 分之 个半 人民币 米 克 吨 升 秒 元 角 分 天 年 点 时 度 折 成 "
    "半 又 百 千 万 亿 斤"
)
_FUNCTIONS = "sqrt sin cos tan cot sec csc log ln exp pi mod gcd lcm max min infinity"


def _any_of(words: str) -> str:
    parts = sorted(re.split(r"(?<!\\)\s+", words.strip()), key=len, reverse=True)
    return "|".join(part.replace(".", r"\.") for part in parts)


TOKEN = re.compile(
    rf"""
    (?P<marker>^[ \t]*+(?:[-+*•]|>(?![ \t]*[\d\\$])|\#++|(?:1?\d|20)[.)])[ \t]++(?=\S))
  | (?P<math>{MATH})
  | (?P<note>[$€£¥]?[ ]?<<[^<>\n]*+>>)
  | (?P<bold>\*\*+|__+|\\textbf\{{)
  | (?P<quote>`+|(?<!\S)\*(?=\S)|(?<=\S)\*(?=[\s.,;:!?)]|\Z)|["“”‘’「」])
  | (?P<ordinal>\d+(?:st|nd|rd|th)(?![A-Za-z])|第\s?\d+)
  | (?P<number>(?:{_CURRENCY}[ ]?-?)?(?:{_DIGITS})(?:[ ]?(?:\\?%|％|‰|°C|°F|°|º|[€£]|\\?\$(?!\w)))?
      |{_CURRENCY}?\d*[½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞])
  | (?P<scale>\b(?:{_any_of(_SCALES)})\b
      |(?:(?:square|cubic)[ ])?(?:{_any_of(_UNITS)}|units)(?:\^?[23²³])?
        (?:/(?:{_any_of(_UNITS)}|[gmsh]))?(?![\w/])
      |(?:{_any_of(_HAN_UNITS)})|(?<=\d[ ])[mgshL](?:[²³]|\^[23])?(?=[\s.,;)]|\Z)
      |\(mod[ ]\d{{1,9}}\))
  | (?P<space>\\[,;:!\ ]|~)
  | (?P<open>\\\{{|[({{\[（【［｛])
  | (?P<close>\\\}}|[)}}\]）】］｝])
  | (?P<function>(?<![A-Za-z])(?:{_any_of(_FUNCTIONS)})(?![A-Za-z]))
  | (?P<command>\\[A-Za-z]++|[∞π∅ℝ])
  | (?P<power>[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ]++)
  | (?P<variable>(?<![A-Za-z'’])[A-Za-z](?:_\w|\d+|[₀-₉ₙ]++)?(?![A-Za-z'’])|[α-ωΔ])
  | (?P<relation>[=<>≤≥≠≈＝]=?)
  | (?P<operator>[-+−–*×·÷/^±√∪∩∈!′_|%]|(?<=\d)[:∶](?=\d)|(?<=[ ])[:∶](?=[ ]))
  | (?P<comma>[,，])
  | (?P<word>[A-Za-z]{{2,}}\d+|[^\W\d_]+(?:['’-][^\W\d_]+)*)
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
"""Kinds: the names of its groups; `environment` is none, it belongs to `math`."""
TRANSPARENT = frozenset({"bold", "quote", "note"})
"""Kinds that neither belong to an expression nor end one."""


def shown(kind: str, text: str) -> str:
    """A token as it is shown: math without its delimiters."""
    if kind != "math" or text.startswith(r"\begin"):
        return text
    width = 1 if text.startswith("$") and not text.startswith("$$") else 2
    return text[width:-width].strip()
