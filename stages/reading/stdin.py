"""Standard input as a file: what `-` means where a command takes a FILE.

It is copied to disk first, since a file is read in several looks (its first bytes, then its
rows). A recipe cannot name it: what a step was made from must be there to be compared later.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

STDIN: Final = "-"


@contextlib.contextmanager
def local_copy(path: Path) -> Iterator[Path]:
    """`path`, or a copy of standard input where it is `-`; the copy is removed at the end."""
    if str(path) != STDIN:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="potstill-") as folder:
        copy = Path(folder) / "stdin"
        with copy.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file, 1 << 20)
        yield copy
