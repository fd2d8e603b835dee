r"""What may stand behind a number in an answer: units, currencies and counted things.

`read_unit` tells three cases apart. A known unit has a dimension and a size, so that 1.5 km and
1500 m are equal and 5 cm and 5 kg are not; an unknown word (`apples`, `个`) is whatever is counted
and says nothing; a word that changes the number (`million`, `squared`, `半`) is no unit at all.
In plain letters only what cannot be taken for variables is a unit: `18 dollars` and `5 km`, but
not `2ab`, `3t` or `5 m` (which `forms.py` reads as metres only beside a plain number).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

_TABLE = """
length 1: m meter meters metre metres 米 公尺
length 1000: km kilometer kilometers kilometre kilometres kms 千米 公里
length 1/10: dm decimeter decimeters 分米
length 1/100: cm centimeter centimeters centimetre centimetres cms 厘米 公分
length 1/1000: mm millimeter millimeters millimetre millimetres 毫米
length 254/10000: inch inches
length 3048/10000: ft foot feet
length 9144/10000: yd yard yards
length 1609344/1000: mi mile miles 英里
mass 1: g gram grams 克
mass 1000: kg kilogram kilograms kgs 千克 公斤
mass 1/1000: mg milligram milligrams 毫克
mass 1000000: ton tons tonne tonnes 吨
mass 500: 斤
mass 45359237/100000: lb lbs pound pounds
mass 45359237/1600000: oz ounce ounces
time 1: s sec secs second seconds 秒 秒钟
time 60: min mins minute minutes 分钟
time 3600: h hr hrs hour hours 小时 时 个小时
time 86400: day days 天 日
time 604800: week weeks 周 星期 个星期
volume 1: L l liter liters litre litres 升
volume 1/1000: ml mL milliliter milliliters millilitre millilitres 毫升
area 10000: hectare hectares ha 公顷
dollar 1: $ dollar dollars usd USD bucks 美元
dollar 1/100: ¢ cent cents
yuan 1: ¥ 元 块 块钱 元钱 yuan rmb RMB CNY 人民币
yuan 1/10: 角
yuan 1/100: 分
discount 1: 折
euro 1: € euro euros EUR 欧元
sterling 1: £ GBP 英镑
rupee 1: ₹ rupee rupees Rs 卢比
angle 1: ^\\circ degree degrees deg 度
temperature_c 1: ^\\circC ℃ 摄氏度
temperature_f 1: ^\\circF ℉ 华氏度
length/time 1609344/3600000: mph
length/time 1000/3600: kmh kph
"""
_CHANGING_WORDS = """
    and or to times plus minus over mod modulo base not about squared cubed percent pct percentage
    hundred hundreds thousand thousands million millions billion billions trillion trillions
    dozen dozens half halves third thirds quarter quarters fourth fourths fifth fifths tenth tenths
    hundredth hundredths infinity inf pi tau phi theta alpha beta sqrt log ln exp sin cos tan
    factorial radians radian rad if when where for remainder is are equals
"""
_CHANGING_HAN = frozenset("十百千万亿兆半成之点又和或至到对几多余约加减乘除负零")
_HAN_UNITS_WITH_THEM = frozenset("米克瓦卡")
_SHORT_UNITS = (
    "km cm mm dm kg mg ml mL cl ft lb lbs oz mph kmh kph hr hrs min mins sec kms mi st nd rd th"
)
_TEXT = re.compile(r"\\(?:text(?:bf|it|rm|normal)?|math(?:rm|bf|it|sf)|mbox|operatorname)\s*\{")
_TEMPERATURE = re.compile(r"(?:degrees?|\^\\circ)\s*([CF])(?:elsius|ahrenheit)?$")
_POWER = re.compile(r"\^\s*(?:\{\s*([23])\s*\}|([23]))\s*$")
_SQUARE = re.compile(r"^(?:(square |sq\.? |平方)|(cubic |cu\.? |立方))(.+)$", re.DOTALL)
_WORD = re.compile(r"[A-Za-z]++")
_HAN = re.compile("[\u4e00-\u9fff]")
_LIMIT = re.compile("[以之][上下内外间]")
"""Behind a number: it is no value, as in `5以上`."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: `dimension` is empty where only words are known, not what they measure."""

    dimension: str
    size: Fraction

    @property
    def counted(self) -> str:
        """The dimension without what it is divided by: `$18 per day` are dollars."""
        return self.dimension.partition("/")[0]


_NOUN = Unit("", Fraction(1))
_changing_words = frozenset(_CHANGING_WORDS.split())
_short_units = frozenset(_SHORT_UNITS.split())


def _read_table() -> dict[str, Unit]:
    found: dict[str, Unit] = {}
    for line in _TABLE.strip().splitlines():
        head, _, names = line.partition(":")
        dimension, size = head.split()
        found |= dict.fromkeys(names.split(), Unit(dimension, Fraction(size)))
    return found


_known = _read_table()


@lru_cache(maxsize=4096)
def read_unit(text: str) -> Unit | None:
    """The unit that a tidied text is, or None if it is none (or changes the number before it)."""
    bare = _TEXT.sub("", text).replace("}", "").replace("{", "") if "\\" in text else text
    bare = _TEMPERATURE.sub(r"^\\circ\1", bare.strip().rstrip(".").replace("^\\circ ", "^\\circ"))
    if not bare:
        return None
    for separator in ("/", " per ", "每", " an ", " a "):
        above, found, below = bare.partition(separator)
        if found and above.strip():
            return _quotient(_single(above), _single(below))
    return _single(bare)


def is_unit(text: str) -> bool:
    """Is what stands right behind a number (spaces included) a unit, or nothing at all?"""
    if not text.strip():
        return True
    words = _WORD.findall(text) if "\\" not in text else []
    if words and words[0] not in _short_units and not (text[0].isspace() and len(words[0]) >= 3):
        return False
    return read_unit(text) is not None


def _quotient(above: Unit | None, below: Unit | None) -> Unit | None:
    if above is None or below is None:
        return None
    if not above.dimension:
        return above
    return Unit(f"{above.dimension}/{below.dimension or 'each'}", above.size / below.size)


def _single(text: str) -> Unit | None:
    """A unit without division: a name, squared or cubed."""
    text, power = text.strip(), 1
    if found := _POWER.search(text):
        text, power = text[: found.start()].strip(), int(found[1] or found[2])
    elif found := _SQUARE.match(text):
        text, power = found[3], 2 if found[1] else 3
    unit = _known.get(text) or _known.get(text.lower()) or _counted(text)
    if unit is None or power == 1 or not unit.dimension:
        return unit
    if unit.dimension == "length" and power == 3:  # a litre is a cubic decimetre
        return Unit("volume", unit.size**3 * 1000)
    if unit.dimension == "length":
        return Unit("area", unit.size**2)
    return Unit(f"{unit.dimension}^{power}", unit.size**power)


def _counted(text: str) -> Unit | None:
    """Words for what is counted, if none of them changes the number."""
    words = _WORD.findall(text)
    if any(word.lower() in _changing_words for word in words) or _LIMIT.search(text):
        return None
    if words and words[0].lower() in _known and len(words) > 1:  # hours of work, dollars in total
        return _known[words[0].lower()]
    han = "".join(_HAN.findall(text))
    if han[1:] in _HAN_UNITS_WITH_THEM or not _CHANGING_HAN.intersection(han):
        return _NOUN if words or han else None
    return None
