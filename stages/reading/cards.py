"""What the README.md of a dataset says in its front matter: subsets, their files, a licence.

The keys are those of the hub (https://huggingface.co/docs/hub/datasets-manual-configuration):

    configs:
    - config_name: main
      default: true
      data_dir: data                     # or data_files: a pattern, a list of them, or
      data_files: [{split: train, path: ["data/train-*.parquet"]}]

Patterns are compared with names; no file is opened but the card.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ...pipeline.errors import RequestError
from ...pipeline.suggest import suggest

CARD = "README.md"


@dataclass(frozen=True)
class Subset:
    """One of `configs`."""

    name: str
    is_default: bool
    patterns: Mapping[str, tuple[str, ...]]
    """By split; empty where the card names no files."""
    folder: str = ""


def front_matter(card: Path) -> dict[str, Any]:
    """The YAML between the two lines of dashes that a card begins with; {} without one."""
    if not card.is_file():
        return {}
    parts = re.split(
        r"^---\s*$", card.read_text(encoding="utf-8", errors="replace"), maxsplit=2, flags=re.M
    )
    if len(parts) < 3 or parts[0].strip():
        return {}
    try:
        found = YAML(typ="safe", pure=True).load(parts[1])
    except YAMLError:  # a card is for people: one that is broken says nothing
        return {}
    return found if isinstance(found, dict) else {}


def subsets_of(card: Path) -> list[Subset]:
    """The subsets that a card names.

    Raises:
        RequestError: `configs` is not in the form of the hub.
    """
    configs = front_matter(card).get("configs") or []
    try:
        return [_subset(config) for config in configs]
    except (KeyError, TypeError, AttributeError) as error:
        raise RequestError(f"{card}: its configs cannot be understood ({error!r})") from error


def chosen(where: object, what: str, known: Sequence[str], wanted: str | None) -> str:
    """The one that is wanted, or the only one there is.

    Args:
        what: split or subset.

    Raises:
        RequestError: there is no such one, or there are several.
    """
    if wanted in known:
        return str(wanted)
    if wanted is None and len(known) == 1:
        return known[0]
    if wanted is None:
        names = ", ".join(known)
        raise RequestError(f"{where}: several {what}s, choose one by {what!r}; it has: {names}")
    raise RequestError(f"{where}: there is no {what} {wanted!r}; {suggest(wanted, known)}")


def matching(names: Sequence[str], patterns: Sequence[str]) -> list[str]:
    """Names that fit one of the patterns, in the order of the names; * stays in a folder."""
    found = [re.compile(_expression(pattern)) for pattern in patterns]
    return [name for name in names if any(each.fullmatch(name) for each in found)]


def _subset(config: Mapping[str, Any]) -> Subset:
    files = config.get("data_files") or {}
    if isinstance(files, str) or (isinstance(files, list) and isinstance(files[0], str)):
        files = [{"split": "train", "path": files}]
    elif isinstance(files, dict):
        files = [{"split": split, "path": path} for split, path in files.items()]
    patterns = {
        str(each["split"]): tuple([each["path"]] if isinstance(each["path"], str) else each["path"])
        for each in files
    }
    name = str(config.get("config_name") or "default")
    return Subset(name, bool(config.get("default")), patterns, str(config.get("data_dir") or ""))


def _expression(pattern: str) -> str:
    """A glob as a regular expression: ** crosses folders, * and ? do not."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern.removeprefix("./"))
    meant = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(meant.get(part, re.escape(part)) for part in parts)
