"""The JSON Schema describes the shipped recipes and refuses a slip."""

from __future__ import annotations

from potstill.catalog import CATALOG
from potstill.pipeline.schema import recipe_schema


def test_every_kind_is_described_and_every_reference_resolves() -> None:
    schema = recipe_schema(CATALOG)
    kinds = [
        list(arm["properties"])
        for arm in schema["properties"]["steps"]["additionalProperties"]["oneOf"]
    ]
    assert kinds == [[kind] for kind in sorted(CATALOG.stages)]
    for reference in references(schema):
        assert reference.removeprefix("#/$defs/") in schema["$defs"]


def references(value: object) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [found for item in value.values() for found in references(item)]
    if isinstance(value, list):
        return [found for item in value for found in references(item)]
    return []
