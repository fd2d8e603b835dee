"""The scripts of the world as far as judging languages needs them, and who writes in which.

A script is a character class for regular expressions: its letters with the marks that belong to
them, no digits and no punctuation. `SIGNS` look like letters to Python and are none to a reader.
A language is named by its ISO 639-1 code. This module knows no words and reads no text.
"""

from __future__ import annotations

from typing import Final

LATIN: Final = "A-Za-zÀ-ÖØ-öø-ʯḀ-ỿ\ufb00-\ufb06\u0300-\u036f"
HAN: Final = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff\u3005-\u3007"
KANA: Final = "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9d"
SIGNS: Final = (  # alphanumeric to Python, but signs to a reader: ² ½ ① ㎝ ℝ 𝑥 Ａ
    "\u00aa\u00b2\u00b3\u00b5\u00b9\u00ba\u00bc-\u00be\u02b0-\u02ff\u2070-\u218f\u2460-\u24ff\u2776-\u2793"
    "\u3192-\u319f\u3220-\u33ff\uff10-\uff5a\U0001d400-\U0001d7ff"
)

SCRIPTS: Final = {
    "Latin": LATIN,
    "Han": HAN,
    "Kana": KANA,
    "Hangul": "\uac00-\ud7a3\u1100-\u11ff\u3131-\u318e\ua960-\ua97f\ud7b0-\ud7ff",
    "Cyrillic": "\u0400-\u0481\u0483-\u0487\u048a-\u052f\u1c80-\u1c8a\ua640-\ua69f",
    "Greek": "\u0370-\u03ff\u1f00-\u1fff",
    "Hebrew": "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u05d0-\u05f2",
    "Arabic": (  # with the zero-width non-joiner, which Persian writes inside of words
        "\u0610-\u061a\u0620-\u065f\u066e-\u06d3\u06d5-\u06dc\u06df-\u06e8\u06ea-\u06ef\u06fa-\u06ff"
        "\u0750-\u077f\u0870-\u08ff\u200c\ufb50-\ufdff\ufe70-\ufefc"
    ),
    "Devanagari": "\u0900-\u0963\u0971-\u097f\ua8e0-\ua8ff\u200d",
    "Thai": "\u0e01-\u0e3a\u0e40-\u0e4e",
}
"""Letters of the scripts that are told apart by name; all others are one group, `other`."""

WITHOUT_SPACES: Final = ("Han", "Kana")
"""Scripts that put no spaces between words: one character of these counts as one word."""

LANGUAGE_OF_SCRIPT: Final = {
    "Han": "zh",
    "Kana": "ja",
    "Hangul": "ko",
    "Cyrillic": "ru",
    "Greek": "el",
    "Hebrew": "he",
    "Arabic": "ar",
    "Devanagari": "hi",
    "Thai": "th",
}
"""What text in a script is taken for where nothing else is known of it."""

UNDETERMINED: Final = "und"
"""BCP 47 for a language that could not be told."""

SCRIPTS_OF_LANGUAGE: Final = {
    "en": ("Latin",),
    "es": ("Latin",),
    "de": ("Latin",),
    "fr": ("Latin",),
    "pt": ("Latin",),
    "it": ("Latin",),
    "zh": ("Han",),
    "ja": ("Han", "Kana"),
    "ko": ("Hangul",),
    "ru": ("Cyrillic",),
    "ar": ("Arabic",),
    "hi": ("Devanagari",),
}
"""The languages that a completion can be asked to be in, with their scripts."""

_NAMES: Final = {
    "en": "eng english",
    "es": "spa spanish español castellano",
    "de": "deu ger german deutsch",
    "fr": "fra fre french français",
    "pt": "por portuguese português",
    "it": "ita italian italiano",
    "zh": "zho chi cmn chinese mandarin 中文 汉语 漢語 chn cn",
    "ja": "jpn japanese 日本語 jp",
    "ko": "kor korean 한국어 kr",
    "ru": "rus russian русский",
    "ar": "ara arabic العربية",
    "hi": "hin hindi हिन्दी",
}
_CODES: Final = {name: code for code, names in _NAMES.items() for name in [code, *names.split()]}


def language_code(name: str) -> str | None:
    """The code of a language that can be a target, or None.

    Args:
        name: what data sets write: `zh`, `zh-Hant`, `EN_us`, `eng`, `Chinese`, `中文`.
    """
    first = name.strip().lower().replace("_", "-").partition("-")[0]
    return _CODES.get(first.partition(" ")[0])
