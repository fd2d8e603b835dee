"""Telling what is no longer needed in a work directory from what is, and from what is not ours.

Needed are the artifacts at the addresses of the plans, those that a plan names by path, and those
that another recipe made something from. Looked at are the folders of the plans' recipes and of
their smoke runs, nothing else: other recipes, the journal and links are passed over. What potstill
did not make, or not certainly, is told and left alone. Nothing is changed here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .artifact import MANIFEST, TIMING
from .clocks import clocks_of
from .fingerprint import ADDRESS_LENGTH
from .lock import running_step
from .manifest_form import read_manifest
from .plan import Plan
from .shards import orphans
from .stage import STATE
from .trash import TRASH, bytes_in, files_in
from .users import Users

_FOLDER = re.compile(rf"(?P<step>[A-Za-z][A-Za-z0-9_-]*)-[0-9a-f]{{{ADDRESS_LENGTH}}}")
_LOGS = "logs"
_LEFT = "left by a killed run"
_STOPPED = "left by a `gc` that was stopped"


@dataclass(frozen=True)
class Item:
    """Something to be removed, or told and left alone."""

    path: Path
    why: str
    kind: str = ""
    """artifact, unfinished, state, log, temporary or trash."""
    bytes: int = 0
    finished: float | None = None
    """Seconds since 1970 at which it was finished, or changed last; None where not looked at."""

    def facts(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "path": str(self.path),
            "kind": self.kind,
            "why": self.why,
            "bytes": self.bytes,
            "finished": self.finished,
        }


class Search:
    """Sorts what lies in the folders of plans: what goes, what stays, and what is not ours."""

    def __init__(self, plans: Sequence[Plan], work: Path) -> None:
        self.garbage: list[Item] = []
        self.kept: list[Item] = []
        self.unknown: list[Item] = []
        self._plans = plans
        self._work = work
        self._running = running_step(work)
        own = [run.name for run in work.glob("*") if self._plans_of(run)]
        self._users = Users(work, own)
        self._looked: set[Path] = set()
        self._steps: set[str] = set()
        self._needed: set[str] = set()
        self._named = {
            external.path: plan.name
            for plan in plans
            for node in plan.nodes
            for external in node.externals.values()
            if external.path is not None
        }

    def _plans_of(self, run: Path) -> list[Plan]:
        """The plans of which a folder holds the run, or a smoke run."""
        return [plan for plan in self._plans if _is_run_of(run.name, plan.name)]

    def look_at_all(self) -> None:
        """Look into the folders of all plans and of their smoke runs."""
        for plan in self._plans:
            self._look(self._work / plan.name)
        for folder in sorted(self._work.glob("*-limit*")):
            self._look_at_smoke_run(folder)
        self._add(orphans(self._work, deep=False), "temporary", _LEFT)

    def _look(self, run: Path) -> None:
        """Look into a recipe's folder, by all the plans of that name."""
        plans = self._plans_of(run)
        if run in self._looked or not run.is_dir():
            return
        self._looked.add(run)
        if run.is_symlink():
            self.unknown.append(Item(run, "a link: not followed"))
            return
        nodes = [node for plan in plans for node in plan.nodes]
        self._needed = {node.folder for node in nodes}
        self._steps = {node.name for node in nodes}
        for entry in sorted(run.iterdir()):
            self._sort(entry)

    def _look_at_smoke_run(self, run: Path) -> None:
        """A folder `NAME-limit5` is a run of recipe NAME only if it holds one of its artifacts."""
        plans = self._plans_of(run)
        if any((run / node.folder / MANIFEST).is_file() for plan in plans for node in plan.nodes):
            self._look(run)
        elif plans and run not in self._looked:
            why = "a smoke run none of whose artifacts is wanted, or another recipe: not looked at"
            self.unknown.append(Item(run, why))

    def _sort(self, entry: Path) -> None:
        folder = _FOLDER.fullmatch(entry.name)
        if entry.is_symlink():
            self.unknown.append(Item(entry, "a link: not followed"))
        elif entry.name == STATE and entry.is_dir():
            self._sort_state(entry)
        elif entry.name == _LOGS and entry.is_dir():
            gone = (log for log in entry.glob("*.log") if log.stem not in self._steps)
            self._add(gone, "log", "the recipe has no such step")
        elif entry.name == TRASH and entry.is_dir():
            self._add([entry], "trash", _STOPPED)
        elif entry in orphans(entry.parent, deep=False):
            self._add([entry], "temporary", _LEFT)
        elif folder and entry.is_dir():
            self._sort_artifact(entry, folder["step"])
        else:
            self.unknown.append(Item(entry, "not made by potstill"))

    def _sort_artifact(self, folder: Path, step: str) -> None:
        if not (folder / MANIFEST).exists():
            self._sort_unfinished(folder, step)
            return
        if folder.name in self._needed:
            self._add(orphans(folder), "temporary", _LEFT)
            return
        if (doubt := _doubt(folder)) is not None:
            self.unknown.append(Item(folder, doubt))
        elif (use := self._use(folder)) is not None:
            self.kept.append(Item(folder, use))
        else:
            self._add([folder], "artifact", self._why_not(folder, step))

    def _use(self, folder: Path) -> str | None:
        """Who needs an artifact that is at no address of its recipe's plan."""
        for path, name in self._named.items():
            if _touch(path, folder):
                return f"recipe {name!r} names it by path"
        user = self._users.of(folder)
        return None if user is None else f"{user} was made from it"

    def _why_not(self, folder: Path, step: str) -> str:
        parts = (name.rpartition("-") for name in sorted(self._needed))
        now = [address for name, _, address in parts if name == step]
        return f"the recipe's is {' and '.join(now)}" if now else "the recipe has no such step"

    def _sort_unfinished(self, folder: Path, step: str) -> None:
        """Without a manifest only what a step leaves tells ours from a user's `notes-2024…`.

        A `gc` that was killed may have taken the log of a step and the manifest, not the clocks.
        """
        traces = (
            folder.parent / _LOGS / f"{step}.log",
            folder.parent / STATE / folder.name,
            folder / TIMING,
        )
        if self._running == f"{folder.parent.name}/{step}":
            return
        if step in self._steps or any(trace.exists() for trace in traces):
            self._add([folder], "unfinished", "was not finished; a run begins it anew")
        else:
            self.unknown.append(Item(folder, f"no {MANIFEST} and no step of the recipe"))

    def _sort_state(self, states: Path) -> None:
        for state in sorted(states.iterdir()):
            match = _FOLDER.fullmatch(state.name)
            finished = (states.parent / state.name / MANIFEST).exists()
            if state.name == TRASH and state.is_dir():
                self._add([state], "trash", _STOPPED)
            elif match is None or state.is_symlink() or not state.is_dir():
                self.unknown.append(Item(state, "not made by potstill"))
            elif self._running == f"{states.parent.name}/{match['step']}":
                continue
            elif finished:
                self._add([state], "state", "its step is finished")
            elif state.name not in self._needed:
                self._add([state], "state", self._why_not(state, match["step"]))

    def _add(self, paths: Iterable[Path], kind: str, why: str) -> None:
        self.garbage += [_item(path, kind, why) for path in sorted(paths)]


def _item(path: Path, kind: str, why: str) -> Item:
    finished = clocks_of(path).finished
    changed = path.lstat().st_mtime if finished is None else finished
    return Item(path, why, kind, bytes_in(path), changed)


def _is_run_of(run: str, recipe: str) -> bool:
    return re.fullmatch(rf"{re.escape(recipe)}(-limit[1-9][0-9]*)?", run) is not None


def _touch(path: Path, folder: Path) -> bool:
    """Whether a path that a recipe names is the folder, in it, or above it."""
    folder = folder.resolve()
    return path == folder or folder in path.parents or path in folder.parents


def _doubt(folder: Path) -> str | None:
    """Why a folder with a manifest may not be what potstill made; None: it is."""
    try:
        manifest = read_manifest(folder / MANIFEST)
    except ValueError as error:
        return f"its {MANIFEST} cannot be read: {error}"
    if (name := f"{manifest['step']}-{manifest['address']}") != folder.name:
        return f"its {MANIFEST} is of {name!r}"
    left = {str(file.relative_to(folder)) for file in orphans(folder)}
    there = {str(file.relative_to(folder)) for file in files_in(folder)}
    extra = sorted(there - manifest["files"].keys() - {MANIFEST, TIMING} - left)
    return f"holds {extra[0]!r}, which is not of its {MANIFEST}" if extra else None
