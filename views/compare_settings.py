"""The settings in which steps differ, by the names that the recipes used.

A manifest names inputs by address and files by content; here an input is called by its step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..pipeline.artifact import Artifact

ABSENT: Final = "–"
"""Stands where a step has no such setting."""


def differing_settings(artifacts: Sequence[Artifact | None]) -> dict[str, list[Any]]:
    """Values by setting, one for each step, where they are not all equal; `ABSENT` for none."""
    settings = [{} if artifact is None else _settings(artifact) for artifact in artifacts]
    names = dict.fromkeys(name for each in settings for name in each)
    values = {name: [each.get(name, ABSENT) for each in settings] for name in names}
    return {
        name: found
        for name, found in values.items()
        if any(value != found[0] for value in found[1:])
    }


def _settings(artifact: Artifact) -> dict[str, Any]:
    identity = artifact.manifest["identity"]
    steps = {f"step:{address}": name for name, address in identity.get("inputs", {}).items()}
    flat = dict(_flat(identity.get("config", {}), steps))
    flat |= {f"address of {step}": address[5:] for address, step in steps.items()}
    return {"version": identity.get("version"), **flat}


def _flat(value: Any, steps: Mapping[str, str], name: str = "") -> list[tuple[str, Any]]:
    """Nested settings under dotted names; what is not set is passed over."""
    if isinstance(value, Mapping):
        return [
            pair
            for key, item in value.items()
            for pair in _flat(item, steps, f"{name}.{steps.get(key, key)}".lstrip("."))
        ]
    if value is None:
        return []
    return [(name, steps.get(value, value) if isinstance(value, str) else value)]
