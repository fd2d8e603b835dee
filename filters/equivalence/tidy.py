r"""The text of an answer in one spelling, so that answers can be compared and parsed.

Math delimiters, bold marks, boxes of text, thin spaces, full-width and Unicode forms, sizes of
brackets and a final full stop say nothing about an answer; everything else stays. Two answers
with equal tidied texts are equal. LaTeX is the common spelling: `×` becomes `\times`, `π` `\pi`.

What it does not do: understand anything. What a text means is for `forms.py` to say.
"""

from __future__ import annotations

import re

_SYMBOLS = {
    **{"×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "∙": r"\cdot ", "÷": r"\div "},
    **{"≤": r"\le ", "≥": r"\ge ", "⩽": r"\le ", "⩾": r"\ge ", "≠": r"\ne ", "≈": r"\approx "},
    **{"∞": r"\infty ", "∪": r"\cup ", "∩": r"\cap ", "∈": r"\in ", "∅": r"\emptyset "},
    **{"ℝ": r"\mathbb{R}", "ℤ": r"\mathbb{Z}", "ℕ": r"\mathbb{N}", "±": r"\pm ", "∓": r"\mp "},
    **{"√": r"\sqrt ", "π": r"\pi ", "θ": r"\theta ", "α": r"\alpha ", "β": r"\beta "},
    **{"γ": r"\gamma ", "λ": r"\lambda ", "μ": r"\mu ", "σ": r"\sigma ", "φ": r"\phi "},
    **{"ω": r"\omega ", "Δ": r"\Delta ", "°": r"^\circ", "′": "'", "″": "''", "…": r"\ldots "},
    **{"½": r"\frac{1}{2}", "⅓": r"\frac{1}{3}", "⅔": r"\frac{2}{3}", "¼": r"\frac{1}{4}"},
    **{"¾": r"\frac{3}{4}", "⅕": r"\frac{1}{5}", "⅛": r"\frac{1}{8}", "⁄": "/"},
    **{"⟨": r"\langle ", "⟩": r"\rangle ", "∨": r"\lor ", "∧": r"\land ", "∖": r"\setminus "},
    **{"⌊": r"\lfloor ", "⌋": r"\rfloor ", "⌈": r"\lceil ", "⌉": r"\rceil ", "∶": ":"},
    **{"−": "-", "﹣": "-", "‑": "-", "¥": "¥", "￥": "¥", "、": ",", "\u3000": " "},
    **{"“": '"', "”": '"', "‘": "'", "’": "'", "【": "[", "】": "]", "\u200b": "", "\ufeff": ""},
}
# The en dash stays: 3–5 is a range, not a difference.
_CHARACTERS: dict[int, str | int] = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_CHARACTERS |= {ord(sign): spelling for sign, spelling in _SYMBOLS.items()}
_RAISED, _LOWERED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ", "₀₁₂₃₄₅₆₇₈₉ₙ"
_RAISED_RUN = re.compile(f"[{_RAISED}]++")
_LOWERED_RUN = re.compile(f"[{_LOWERED}]++")
_PLAIN = str.maketrans(_RAISED + _LOWERED, "0123456789-+n0123456789n")

_INNER = r"((?:[^{}]|\{[^{}]*\})*)"
_WRAPPERS = [
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r"\$\$((?:\\\$|[^$])+)\$\$",
        r"\$((?:\\\$|[^$])+)\$",
        r"\\\(((?:(?!\\[()]).)+)\\\)",
        r"\\\[((?:(?!\\[\[\]]).)+)\\\]",
        r"\*\*([^*]+)\*\*",
        r"`([^`]+)`",
        r'"([^"]+)"',
        r"\\(?:text(?:bf|it|rm|normal)?|math(?:rm|bf|it|sf)|mbox|boxed|fbox)\s*\{" + _INNER + r"\}",
        r"\{((?:[^{}\\,:|]|\\[A-Za-z]+)*)\}",
    )
]
_DASH_AS_MINUS = re.compile(r"(?:^|(?<=[(\[,=]))(\s?)[–—](?=\s?[\d\\])")
_MIXED = re.compile(r"(?<=\d)\s?又\s?(?=\d+\s?/|\\frac)")
_ORDINAL = re.compile(
    r"(?<=\d)\s?\^\s?(?:\{\s?)?(?:\\(?:text|mathrm)\s?\{\s?)?(?:st|nd|rd|th)\s?\}{0,2}(?![a-z])"
)
_BRACED_SIGN = re.compile(r"\{([:;,=])\}")
_STOPS = " \t\n.。,，;；"
_THOUSANDS = re.compile(r"(?<=\d)(?:,?\\!\s?|\\,|\{,\}|\\ |[\u00a0\u2009\u202f])(?=\d{3}(?!\d))")
_SPACES = re.compile(
    r"(?:(?<!\\)\\[,;:>! \n]|\\(?:q?quad|enspace|thinspace|hfill)(?![A-Za-z])|~|\s)+"
)
_SPELLINGS = re.compile(
    r"\\(?P<fraction>[dtc]frac)(?![A-Za-z])"
    r"|\\(?P<relation>leqslant|leq|geqslant|geq|neq|lt|gt)(?![A-Za-z])"
    r"|\\(?P<empty>varnothing)(?![A-Za-z])"
    r"|(?P<size>\\(?:left|right)\s?\.|\\(?:left|right|[bB]igg?[lr]?)(?![A-Za-z]))\s?"
    r"|\\(?P<style>displaystyle|textstyle|limits|nolimits|bf|rm|it|tt)(?![A-Za-z])\s?"
    r"|\^(?P<degree>\{\s?\\(?:circ|degree)\s?\}|\s?\\(?:circ|degree)(?![A-Za-z]))"
    r"|\\(?:mathrm|operatorname|text)\s*\{\s*(?P<name>[a-z]|sin|cos|tan|cot|sec|csc|ln|log"
    r"|exp|arcsin|arccos|arctan|gcd|lcm|sqrt)\s*\}"
)
_DOLLAR = re.compile(r"(?<!\\)\$")
_DELIMITERS = re.compile(r"(?<!\\)\\[()\[\]]")
_ESCAPED = re.compile(r"\\([$%#&_])")
_RELATIONS = {"leqslant": "\\le", "leq": "\\le", "geqslant": "\\ge", "geq": "\\ge"}
_RELATIONS |= {"neq": "\\ne", "lt": "<", "gt": ">"}


def tidy(text: str) -> str:
    """`text` unwrapped, its spaces and spellings made uniform."""
    text = _THOUSANDS.sub(",", text.translate(_CHARACTERS))
    text = _RAISED_RUN.sub(lambda run: f"^{{{run.group().translate(_PLAIN)}}}", text)
    text = _LOWERED_RUN.sub(lambda run: f"_{{{run.group().translate(_PLAIN)}}}", text)
    text = _SPELLINGS.sub(_spelled, _SPACES.sub(" ", text))
    text = _BRACED_SIGN.sub(r"\1", _ORDINAL.sub("", text))
    text = _MIXED.sub(" ", _DASH_AS_MINUS.sub(r"\1-", text))
    previous = None
    while text != previous:
        previous = text
        text = _without_stop(text.strip())
        for wrapper in _WRAPPERS:
            if whole := wrapper.fullmatch(text):
                text = whole.group(1)
    if text.count("$") - text.count("\\$") > 1:  # several formulas; one sign alone is money
        text = _DOLLAR.sub("", text)
    return _ESCAPED.sub(r"\1", _DELIMITERS.sub("", text)).strip()


def _spelled(found: re.Match[str]) -> str:
    """One spelling of what LaTeX can say in several ways; sizes and styles say nothing."""
    if relation := found["relation"]:
        return _RELATIONS[relation]
    if name := found["name"]:
        return name if len(name) == 1 else rf"\{name} "
    if found["fraction"]:
        return r"\frac"
    if found["degree"]:
        return r"^\circ"
    return r"\emptyset" if found["empty"] else ""


def _without_stop(text: str) -> str:
    """Without a final full stop; three of them are part of a number or a list."""
    return text if text.endswith("...") else text.rstrip(_STOPS)
