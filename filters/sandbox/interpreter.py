"""Which Python runs inside, and what of this machine it needs to see there.

That is the executable, the `lib` folder of its prefix (standard library, perhaps libpython) and the
packages that the config names, each with the folder of bundled libraries that wheels put beside it.
Packages are found where this interpreter would import them from, without importing them. What they
themselves need must be named as well.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from ...pipeline.errors import RequestError

PACKAGES: Final = "/packages"
"""Folder inside that is on `sys.path`."""


class Interpreter(NamedTuple):
    """A Python as the sandbox needs to know it."""

    executable: str
    """The real place of the one that a virtual environment was made from: its own may be a copy,
    which finds its library only where the environment is."""
    prefix: str
    version: str
    """Such as `3.11`: it decides what a program means, so it is part of a verdict's identity."""


_ASK: Final = (
    "import os, sys; print(os.path.realpath(sys._base_executable)); print(sys.base_prefix); "
    "print('%d.%d' % sys.version_info[:2])"
)


@cache
def interpreter(python: str | None) -> Interpreter:
    """A Python, by default the running one.

    Raises:
        RequestError: `python` is no interpreter.
    """
    if python is None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        executable: str = vars(sys)["_base_executable"]
        return Interpreter(os.path.realpath(executable), sys.base_prefix, version)
    ask = [python, "-I", "-c", _ASK]
    try:
        told = subprocess.run(ask, capture_output=True, check=True, text=True)
        return Interpreter(*told.stdout.splitlines())
    except (OSError, subprocess.CalledProcessError, TypeError) as error:
        raise RequestError(
            f"code.python is {python!r}, which is no Python interpreter: {error}"
        ) from error


def bound(python: str | None, packages: tuple[str, ...]) -> list[tuple[str, str]]:
    """(place here, place inside) of all that the interpreter needs beside shared libraries.

    Raises:
        RequestError: a package is not installed, or `python` is no interpreter.
    """
    executable, prefix, _ = interpreter(python)
    pairs = [(executable, executable)]
    if prefix != "/usr":  # whose lib is seen anyway
        pairs.append((os.path.join(prefix, "lib"), os.path.join(prefix, "lib")))
    for name in packages:
        place = _place(name)
        beside = [place, place.with_name(f"{name}.libs")]
        pairs += [(str(each), f"{PACKAGES}/{each.name}") for each in beside if each.exists()]
    return pairs


def installed(python: str | None) -> list[str]:
    """Folders with what is installed beside the standard library: not seen unless it is named."""
    _, prefix, version = interpreter(python)
    names = ("site-packages", "dist-packages")
    places = [f"{prefix}/lib/python{version}/{name}" for name in names]
    return [place for place in [*places, "/usr/lib/python3/dist-packages"] if os.path.isdir(place)]


def _place(name: str) -> Path:
    """Folder or file of a top-level package."""
    found = importlib.util.find_spec(name) if name.isidentifier() else None
    if found is None or found.origin is None:
        raise RequestError(
            f"package {name!r} cannot be used by programs: it is not installed here; "
            f"pip install it, or take it out of `packages`"
        )
    origin = Path(found.origin)
    return origin.parent if found.submodule_search_locations else origin
