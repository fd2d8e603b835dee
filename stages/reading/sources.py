"""What `load` reads: a file or folder here, or a dataset on the hub that is fetched as it is read.

Both tell their data files in order, their size in all, and the licence that is stated. Which files
they are is decided by the same rules (`layout.py`), on the hub by names alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

from ...pipeline.hub_files import HubFiles
from .cards import CARD, subsets_of
from .files import DataFile, data_file, find_files
from .layout import choose_names
from .licence import is_licence, licence_of


class DataSource(Protocol):
    """Data files in the order in which they are read."""

    @property
    def bytes(self) -> int:
        """Of all files, as far as it is known."""

    def open(self) -> Iterator[DataFile]:
        """The files; one that is not here yet is fetched when it is asked for."""

    def here(self) -> list[DataFile]:
        """The files that are here by now."""

    def licence(self) -> str | None:
        """What is stated; None: unknown."""


@dataclass(frozen=True)
class LocalSource:
    """A file or a folder."""

    path: Path
    split: str | None = None
    subset: str | None = None

    @cached_property
    def files(self) -> list[DataFile]:
        """All of them.

        Raises:
            RequestError: as `find_files` does.
        """
        return find_files(self.path, self.split, self.subset)

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files)

    def open(self) -> Iterator[DataFile]:
        return iter(self.files)

    def here(self) -> list[DataFile]:
        return self.files

    def licence(self) -> str | None:
        return licence_of(self.path)


@dataclass(frozen=True)
class HubSource:
    """A split of a dataset on the hub, at one commit."""

    hub: HubFiles
    split: str | None = None
    subset: str | None = None
    _here: list[DataFile] = field(default_factory=list, init=False)

    @cached_property
    def names(self) -> list[str]:
        """The data files of the split.

        Raises:
            RequestError: a choice must be made, or there is no data.
            StepFailed: the hub does not answer.
        """
        every = list(self.hub.sizes)
        subsets = subsets_of(self.hub.fetched(CARD)) if CARD in every else []
        return choose_names(self.hub.reference, every, subsets, self.split, self.subset)

    @property
    def bytes(self) -> int:
        return sum(self.hub.sizes[name] or 0 for name in self.names)

    def open(self) -> Iterator[DataFile]:
        for name in self.names:
            self._here.append(data_file(self.hub.fetched(name)))
            yield self._here[-1]

    def here(self) -> list[DataFile]:
        return list(self._here)

    def licence(self) -> str | None:
        said = [name for name in self.hub.sizes if name == CARD or is_licence(name)]
        folders = {self.hub.fetched(name).parent for name in said}
        return licence_of(folders.pop()) if folders else None
