"""What a recipe names outside itself: files, model folders and hub repositories.

Each becomes an `External`: where it is, and a digest of what it is. Files and folders are known
by content, never by path; hub repositories by the commit their revision points to now. Nothing is
downloaded before the step that needs it runs.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import RequestError
from .references import Reference, reference_kind
from .statcache import DigestCache

WEIGHTS = ["*.safetensors", "*.json", "*.jinja", "*.model", "*.txt"]
"""What is fetched of a model repository: never pickles, never code."""


@dataclass(frozen=True)
class External:
    """A file, folder or hub repository named in a recipe."""

    reference: str
    digest: str
    """sha256 of the content, or the commit of a hub repository."""
    path: Path | None
    """Where it lies; None for a hub repository, of which the step will fetch what it needs."""
    repo_type: str = "model"

    @property
    def is_streamed(self) -> bool:
        """Whether the step itself fetches what it reads, file by file (`hub_files.py`)."""
        return self.path is None and self.repo_type == "dataset"

    def fetch(self) -> Path:
        """The local path, downloading a pinned snapshot of a model if it must."""
        if self.path is not None:
            return self.path
        owner_name, _ = split_hub(self.reference)
        snapshot = hub_client().snapshot_download(
            owner_name, revision=self.digest, repo_type=self.repo_type, allow_patterns=WEIGHTS
        )
        return Path(snapshot)


def resolve_external(value: str, mark: Reference, base: Path, cache: DigestCache) -> External:
    """Find what `value` names; `base` is the folder that relative paths start from.

    Raises:
        RequestError: nothing is there, or the hub does not know it.
    """
    kind = reference_kind(value)
    if kind not in mark.accepts:
        raise RequestError(f"{value!r} is a {kind}; expected {_expected(mark)}")
    if kind == "path":
        path = (base / value).resolve()
        if not path.exists():
            raise RequestError(f"{path} does not exist{_closest(path)}")
        return External(value, _digest_path(path, mark, cache), path)
    repo_type = "model" if mark.produces == "model" else "dataset"
    return External(value, _hub_commit(value, repo_type), None, repo_type)


def split_hub(value: str) -> tuple[str, str | None]:
    """`hub:owner/name@rev` → (`owner/name`, `rev` or None)."""
    name, _, revision = value.removeprefix("hub:").partition("@")
    return name, revision or None


def _digest_path(path: Path, mark: Reference, cache: DigestCache) -> str:
    try:
        if mark.produces == "model" and not (path / "config.json").is_file():
            raise RequestError(
                f"{path} is not a model folder: it has no config.json. "
                "Expected config.json, *.safetensors and a tokenizer."
            )
        return cache.digest_path(path) if mark.produces == "model" else cache.digest_data(path)
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror}") from error


def _hub_commit(value: str, repo_type: str) -> str:
    name, revision = split_hub(value)
    try:
        info = hub_client().HfApi().repo_info(name, revision=revision, repo_type=repo_type)
    except Exception as error:  # the hub client has a dozen classes; all mean the same here
        raise RequestError(
            f"{value}: the hub did not resolve it ({type(error).__name__}: {error}). Check the "
            "name and the network, or download it and give the folder as ./path."
        ) from error
    return str(info.sha)


def hub_client() -> Any:
    """The library `huggingface_hub`.

    Raises:
        RequestError: it is not installed.
    """
    try:
        import huggingface_hub
    except ImportError as error:
        raise RequestError(
            "hub: names need huggingface-hub; install it with: pip install 'potstill[hub]'"
        ) from error
    return huggingface_hub


def _expected(mark: Reference) -> str:
    forms = {
        "step": f"the name of a step that makes {mark.produces}",
        "path": "a path that begins with ./, ../ or /",
        "hub": "hub:owner/name[@revision]",
        "builtin": f"a built-in ({', '.join(mark.builtins)})",
    }
    return " or ".join(forms[form] for form in mark.accepts)


def _closest(path: Path) -> str:
    if not path.parent.is_dir():
        return f" (nor does its folder {path.parent})"
    names = [entry.name for entry in path.parent.iterdir()]
    found = difflib.get_close_matches(path.name, names, n=1)
    return f"; did you mean {path.parent / found[0]}?" if found else ""
