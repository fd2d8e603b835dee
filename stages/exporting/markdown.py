"""Markdown and YAML of facts whose texts may be hostile: names, prompts and settings of strangers.

A value is one line of code with everything that ends code, a table's cell or a tag, or that is not
seen, as a JSON escape. Blocks of YAML are written by a library, between fences longer than any run
of backticks in them. Nothing here knows what a card says.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import SafeRepresenter

MOST_LINES: Final = 20
"""Of a table of counts; a dataset may have a source per row."""
_LONGEST: Final = 200
"""Characters of a value in a cell; what is cut ends with …."""
_ENDING: Final = "`|<>\n"
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def code(value: Any, longest: int = _LONGEST) -> str:
    """A value as one line of code; `unknown` in plain words for None, which is never 0."""
    if value is None:
        return "unknown"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    shown = "".join(
        _escaped(sign) if sign in _ENDING or _is_hidden(sign) else sign for sign in text
    )
    return f"`{shown or ' '}`"


def number(value: Any) -> str:
    """`1,234`, `0.987`; `unknown` for None."""
    if value is None or isinstance(value, bool) or not isinstance(value, (int, float)):
        return code(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of finished cells; nothing where there are no rows."""
    lines = ["| " + " | ".join(cells) + " |\n" for cells in rows]
    if not lines:
        return ""
    return f"| {' | '.join(head)} |\n|{'---|' * len(head)}\n{''.join(lines)}"


def counts(title: str, found: Mapping[str, int], unit: str = "rows") -> str:
    """A table of counts with shares, the largest first."""
    total = sum(found.values())
    ranked = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    rest = sum(count for _, count in ranked[MOST_LINES:])
    lines = [(code(name), count) for name, count in ranked[:MOST_LINES]]
    lines += [(f"{len(ranked) - MOST_LINES} more", rest)] if rest else []
    shares = ((name, number(count), f"{count / total:.1%}") for name, count in lines)
    return table((title, unit, "share"), shares)


def section(title: str, *parts: str) -> str:
    """A heading and what stands below it; nothing where nothing does."""
    body = "\n".join(part for part in parts if part)
    return f"## {title}\n\n{body}" if body else ""


def fenced(text: str, language: str = "") -> str:
    """A block of code, whatever the text holds."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}{'' if text.endswith(chr(10)) else chr(10)}{fence}\n"


def to_yaml(value: Any) -> str:
    """Block-style YAML in the order of the keys; signs that are not seen are escaped."""
    text = StringIO()
    yaml: Any = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.width = 1 << 20
    yaml.Representer = _Representer
    yaml.sort_base_mapping_type_on_output = False
    yaml.dump(value, text)
    # Hidden signs stand between double quotes only (see _Representer), where an escape is the sign.
    return "".join(_escaped(each) if _is_hidden(each) else each for each in text.getvalue())


class _Representer(SafeRepresenter):
    """Texts of several lines as blocks, those with hidden signs between double quotes."""

    def represent_str(self, data: str) -> ScalarNode:
        hidden = any(_is_hidden(sign) for sign in data)
        style = '"' if hidden else "|" if "\n" in data else None
        node: ScalarNode = self.represent_scalar("tag:yaml.org,2002:str", data, style=style)
        return node


_Representer.add_representer(str, _Representer.represent_str)


def _is_hidden(sign: str) -> bool:
    return sign != "\n" and unicodedata.category(sign) in _HIDDEN


def _escaped(sign: str) -> str:
    return f"\\u{ord(sign):04x}" if ord(sign) <= 0xFFFF else f"\\U{ord(sign):08x}"
