"""Which files of a folder are data, and of which split and subset: told by names alone.

So the same rules hold for a folder on disk and for a repository whose files are not fetched yet.
A card's `configs` decide where there are any; else splits are told by the words that the datasets
library knows (train, test, validation, …) in the path, and everything is `train` where no word is
known. Documents and metadata are passed over; what must not be opened is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ...pipeline.errors import RequestError
from .cards import Subset, chosen, matching
from .packed import refuse_name

SUFFIXES: Final = (".jsonl", ".ndjson", ".json", ".parquet", ".csv", ".tsv", ".arrow", ".feather")
_PACKED: Final = (".gz", ".zst", ".zstd")
_NOT_DATA: Final = frozenset(
    {
        "dataset_info.json",
        "dataset_infos.json",
        "dataset_dict.json",
        "state.json",
        "manifest.json",
        "timing.json",
        "config.json",
    }
)
"""Files that stand beside data and are none."""
_SPLITS: Final = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), "test"),
}
_WORDS: Final = re.compile(r"[a-z]+")


def choose_names(
    where: object,
    names: Sequence[str],
    subsets: Sequence[Subset],
    split: str | None = None,
    subset: str | None = None,
) -> list[str]:
    """The data files of one subset and split, in natural order.

    Args:
        where: the folder or repository, for messages.
        names: paths of files, relative to it.

    Raises:
        RequestError: there is no data, a choice must be made, or a file must not be opened.
    """
    visible = [name for name in names if not _is_hidden(name)]
    for name in visible:
        refuse_name(Path(str(where)) / name)
    data = sorted((name for name in visible if _is_data(name)), key=_natural)
    if not data:
        seen = ", ".join(sorted(visible)[:5]) or "no files"
        raise RequestError(
            f"{where} holds no data files ({seen}); expected {', '.join(SUFFIXES)}, plain or "
            "packed with gzip or zstd"
        )
    if subset is not None and not subsets:
        raise RequestError(f"{where} has no subsets: its README.md names no configs")
    by_split = _by_split(where, data, subsets, subset)
    return by_split[chosen(where, "split", list(by_split), split)]


def suffix_of(name: str) -> str:
    """The suffix of the format: .jsonl of rows.jsonl.gz."""
    path = Path(name)
    path = path.with_suffix("") if path.suffix.lower() in _PACKED else path
    return path.suffix.lower()


def _by_split(
    where: object, data: Sequence[str], subsets: Sequence[Subset], subset: str | None
) -> dict[str, list[str]]:
    if subsets:
        default = next((each.name for each in subsets if each.is_default), None)
        name = chosen(where, "subset", [each.name for each in subsets], subset or default)
        one = next(each for each in subsets if each.name == name)
        folder = Path(one.folder)
        data = [each for each in data if Path(each).is_relative_to(folder)]
        if one.patterns:
            found = {part: matching(data, asked) for part, asked in one.patterns.items()}
            if empty := [part for part, files in found.items() if not files]:
                raise RequestError(
                    f"{where}: no data file fits what its README.md says of subset {name!r}, split "
                    f"{empty[0]!r}: {', '.join(one.patterns[empty[0]])}"
                )
            return found
    found = {}
    for each in data:
        found.setdefault(_split_of(each), []).append(each)
    return found


def _split_of(name: str) -> str:
    """The split that the last of the known words in a path names; train where there is none."""
    found = [_SPLITS[word] for word in _WORDS.findall(name.lower()) if word in _SPLITS]
    return found[-1] if found else "train"


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "__")) for part in Path(name).parts)


def _is_data(name: str) -> bool:
    return Path(name).name not in _NOT_DATA and suffix_of(name) in SUFFIXES


def _natural(name: str) -> list[tuple[bool, int, str]]:
    """Sorts rows-2 before rows-10."""
    parts = re.split(r"([0-9]+)", name)
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts]
