"""A package that is not listed imports in the checkout and is silently missing from the wheel."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("filters", "models", "pipeline", "recipes", "stages", "train", "views")


def test_every_package_is_listed() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    found = {"potstill"}
    for folder in FOLDERS:
        for python in (ROOT / folder).rglob("*.py"):
            relative = python.parent.relative_to(ROOT)
            found.add("potstill." + ".".join(relative.parts))
    assert set(listed["packages"]) == found


def test_files_keep_to_the_ceilings() -> None:
    """400 lines a file; longer ones hide a second idea."""
    sources = [python for folder in FOLDERS for python in (ROOT / folder).rglob("*.py")]
    long = {
        str(file): lines
        for file in sources
        if (lines := len(file.read_text("utf-8").split("\n"))) > 400
    }
    assert long == {}
