"""The folder of a model that a command names: `recipe/step`, a path, or `hub:owner/name[@rev]`.

The same three forms as a recipe's `model:`, and a path may also begin without `./`. A hub name is
resolved to its commit and fetched. What lies in the folder is the caller's to read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from .errors import RequestError
from .external import resolve_external
from .locate import find_path
from .references import Reference, reference_kind
from .statcache import DigestCache

_MODEL: Final = Reference("model", ("hub",))


def find_model(work: Path, name: str) -> Path:
    """The local folder of a model, downloaded where it must be.

    Raises:
        RequestError: nothing is there, or what is there is no folder.
    """
    if reference_kind(name) == "hub":
        return resolve_external(name, _MODEL, Path(), DigestCache(None)).fetch()
    path = find_path(work, name)
    if not path.is_dir():
        raise RequestError(f"{path} is a file; expected a model's folder with its tokenizer")
    return path
