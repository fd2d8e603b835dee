"""The licence that a data folder states: in its card, else by a file of that name."""

from __future__ import annotations

from pathlib import Path

from .cards import CARD, front_matter


def licence_of(path: Path) -> str | None:
    """`license` of the README.md of a folder, else `see NAME` of a licence file; None: unknown.

    What lies beside a single file is not looked at: it may belong to anything.
    """
    if not path.is_dir():
        return None
    stated = front_matter(path / CARD).get("license")
    if stated:
        return ", ".join(map(str, stated)) if isinstance(stated, list) else str(stated)
    files = sorted(file.name for file in path.iterdir() if file.is_file())
    found = [name for name in files if is_licence(name)]
    return f"see {found[0]}" if found else None


def is_licence(name: str) -> bool:
    """Whether a file at the top of a folder is its licence, by its name."""
    return name.upper().startswith(("LICENSE", "LICENCE", "COPYING")) and "/" not in name
