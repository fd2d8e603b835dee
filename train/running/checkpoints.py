"""Checkpoints that a killed training goes on from: whole, or not there at all.

Below the step's state folder (`<work>/<recipe>/state/<step>-<hash>/`), which is removed when the
artifact is finished. transformers writes `checkpoint-N/`; it counts only once `seal` has hashed
every file and written `sealed.json` last, and older ones are removed only then: a disk that fills
in the middle costs the new checkpoint and not the last good one.

The optimizer's and scheduler's state are pickles, read by transformers with `weights_only=True` and
only from files whose hashes are the ones written here. `training_args.bin`, a pickle that would run
code, is removed unread.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ...pipeline.shards import sync_path, write_text
from ...pipeline.statcache import DigestCache

SEAL: Final = "sealed.json"
STATE: Final = "trainer_state.json"
_CODE: Final = "training_args.bin"
_IDENTITY: Final = "identity.json"


class Checkpoints:
    """The checkpoints of one training."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self, identity: Mapping[str, Any]) -> None:
        """Keep what is whole and belongs to this very training; remove everything else.

        Args:
            identity: JSON values that say what is trained on what.
        """
        text = json.dumps(identity, sort_keys=True)
        file = self.folder / _IDENTITY
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            write_text(file, text)
        for folder in self.folder.glob("checkpoint-*"):
            if not is_sealed(folder):
                shutil.rmtree(folder)

    def all(self) -> list[Path]:
        """Every sealed checkpoint, oldest first."""
        found = [folder for folder in self.folder.glob("checkpoint-*") if is_sealed(folder)]
        return sorted(found, key=step_of)

    def latest(self) -> Path | None:
        """The newest sealed checkpoint."""
        found = self.all()
        return found[-1] if found else None

    def seal(self, step: int, keep: int | None = None) -> None:
        """Make the checkpoint of a step count, and remove all older ones.

        Args:
            keep: a step whose checkpoint stays too: the best so far.
        """
        folder = self.folder / f"checkpoint-{step}"
        (folder / _CODE).unlink(missing_ok=True)
        seal(folder)
        for other in self.folder.glob("checkpoint-*"):
            if step_of(other) not in (step, keep):
                shutil.rmtree(other)


def seal(folder: Path) -> None:
    """Write the hashes of all files of a folder, last and durably."""
    cache = DigestCache(None)
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file.name != SEAL)
    for file in files:
        sync_path(file)
    hashes = {str(file.relative_to(folder)): cache.digest(file) for file in files}
    write_text(folder / SEAL, json.dumps(hashes, indent=1))


def is_sealed(folder: Path) -> bool:
    """Whether every file of a folder is the one that was sealed, and no other pickle lies there."""
    file = folder / SEAL
    if not file.exists():
        return False
    hashes = json.loads(file.read_text(encoding="utf-8"))
    present = {str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file()} - {
        SEAL
    }
    cache = DigestCache(None)
    return present == set(hashes) and all(
        cache.digest(folder / name) == digest for name, digest in hashes.items()
    )


def step_of(folder: Path) -> int:
    """The optimizer step of `checkpoint-N`."""
    return int(folder.name.rpartition("-")[2])


def trainer_state(folder: Path) -> dict[str, Any]:
    """What transformers wrote about the training: steps, and the log of all of them."""
    state: dict[str, Any] = json.loads((folder / STATE).read_text(encoding="utf-8"))
    return state
