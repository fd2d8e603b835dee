"""Removing what a work directory holds that no recipe given needs any more (`potstill gc`).

First it is found (`unneeded.py`) and shown; removed (`trash.py`) only on demand, under the run
lock. The journal of paid completions and recipes that are not named are never touched. A recipe
that cannot be planned is refused: it would need nothing, and all would go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .catalog import Catalog
from .errors import RequestError
from .lock import hold
from .plan import Plan, make_plan
from .recipe import load_recipe
from .statcache import DIGESTS, DigestCache
from .trash import freed_by, remove
from .unneeded import Item, Search


@dataclass(frozen=True)
class Garbage:
    """What would be removed, or was."""

    work: Path
    items: tuple[Item, ...]
    kept: tuple[Item, ...]
    """At no address of a plan and yet needed: a recipe names it by path."""
    unknown: tuple[Item, ...]
    """Not made by potstill, or not certainly: left alone."""
    freed_bytes: int
    """What the disk gets back: a file with links elsewhere counts nothing."""
    forgotten: tuple[str, ...] = field(default=())
    """Remembered digests of files that are not there any more."""
    removed: bool = False

    def facts(self) -> dict[str, Any]:
        """JSON values for `gc --json`."""
        return {
            "work": str(self.work),
            "removed": self.removed,
            "items": [item.facts() for item in self.items],
            "kept": [{"path": str(item.path), "why": item.why} for item in self.kept],
            "unknown": [{"path": str(item.path), "why": item.why} for item in self.unknown],
            "bytes": sum(item.bytes for item in self.items),
            "freed_bytes": self.freed_bytes,
            "forgotten_digests": len(self.forgotten),
        }


def collect_garbage(
    recipes: Sequence[Path],
    catalog: Catalog,
    work: Path,
    overrides: Sequence[str],
    *,
    really: bool,
    wait: bool,
    tell: Callable[[str], None] = lambda text: None,
) -> Garbage:
    """Find what the recipes do not need, and remove it if `really`.

    Args:
        overrides: `--set` assignments, for every recipe.
        wait: for a run in the work directory; without it a run refuses the removal.
        tell: what is waited for.

    Raises:
        RequestError: there is no work directory, a recipe cannot be planned, or a run holds it.
        StepFailed: something could not be removed.
    """
    if not work.is_dir():
        raise RequestError(f"there is no work directory {work}. Say where it is with --work DIR.")
    plans = [make_plan(load_recipe(file, catalog, list(overrides)), work) for file in recipes]
    if not really:
        return find_garbage(plans, work)
    with hold(work, tell if wait else None):
        found = find_garbage(plans, work)
        remove([item.path for item in found.items])
        cache = DigestCache(work / DIGESTS)
        forgotten = cache.forgettable()
        cache.forget(forgotten)
        cache.save()
    return replace(found, removed=True, forgotten=tuple(forgotten))


def find_garbage(plans: Sequence[Plan], work: Path) -> Garbage:
    """What no plan needs, in the folders of these plans; nothing is changed."""
    work = work.absolute()
    search = Search(plans, work)
    search.look_at_all()
    items = tuple(sorted(set(search.garbage), key=lambda item: item.path))
    return Garbage(
        work,
        items,
        tuple(search.kept),
        tuple(search.unknown),
        freed_by([item.path for item in items]),
        tuple(DigestCache(work / DIGESTS).forgettable()),
    )
