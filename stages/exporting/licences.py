"""Licence identifiers that the hub knows, for the front matter of cards.

Which licence a mixture of sources may have is a lawyer's question: nothing is computed here. What
the recipe says is taken, and otherwise all licences of the sources are listed.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Final

UNKNOWN: Final = "unknown"
OTHER: Final = "other"
LICENCES: Final = frozenset({
    "afl-3.0", "agpl-3.0", "apache-2.0", "apple-amlr", "apple-ascl", "artistic-2.0",
    "bigcode-openrail-m", "bigscience-bloom-rail-1.0", "bigscience-openrail-m", "bsd",
    "bsd-2-clause", "bsd-3-clause", "bsd-3-clause-clear", "bsl-1.0", "c-uda", "cc", "cc-by-2.0",
    "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0",
    "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0",
    "cc-by-nd-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc0-1.0", "cdla-permissive-1.0",
    "cdla-permissive-2.0", "cdla-sharing-1.0", "creativeml-openrail-m", "deepfloyd-if-license",
    "ecl-2.0", "epl-1.0", "epl-2.0", "etalab-2.0", "eupl-1.1", "eupl-1.2", "gemma", "gfdl", "gpl",
    "gpl-2.0", "gpl-3.0", "h-research", "intel-research", "isc", "lgpl", "lgpl-2.1", "lgpl-3.0",
    "lgpl-lr", "llama2", "llama3", "llama3.1", "llama3.2", "llama3.3", "llama4", "lppl-1.3c",
    "mit", "mpl-2.0", "ms-pl", "ncsa", "odbl", "odc-by", "ofl-1.1", "open-mdw", "openrail",
    "openrail++", "osl-3.0", "other", "pddl", "postgresql", "unknown", "unlicense", "wtfpl",
    "zlib",
})  # fmt: skip
"""https://huggingface.co/docs/hub/repositories-licenses; `other` is for one that is not here."""


def check_licence(licence: str) -> str:
    """The identifier, or ValueError with the closest one."""
    if licence not in LICENCES:
        close = difflib.get_close_matches(licence, sorted(LICENCES), n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise ValueError(
            f"license {licence!r} is no identifier of the hub; {hint}Expected one such as mit, "
            "apache-2.0 or cc-by-4.0, or other"
        )
    return licence


def for_front_matter(found: Iterable[str | None]) -> str | list[str]:
    """What the hub accepts for these licences of sources: one identifier, or all of them."""
    known = {UNKNOWN if each is None else each.strip().lower() for each in found}
    accepted = sorted({each if each in LICENCES else OTHER for each in known})
    if not accepted:
        return UNKNOWN
    return accepted[0] if len(accepted) == 1 else accepted
