"""The JSON Schema of a recipe, for editors: completion and red lines while typing.

It describes one file; whether names fit together is checked by `plan.py`.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from .catalog import Catalog
from .recipe import FORMAT

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def recipe_schema(catalog: Catalog) -> dict[str, Any]:
    """Schema of a recipe with the given kinds of steps and filters."""
    definitions: dict[str, Any] = {}
    steps = [
        _one_key(kind, _definition(f"step.{kind}", model, definitions))
        for kind, model in sorted(catalog.stages.items())
    ]
    filters = [
        _filter(kind, _definition(f"filter.{kind}", model, definitions))
        for kind, model in sorted(catalog.filters.items())
    ]
    return {
        "$schema": DIALECT,
        "title": "potstill recipe",
        "type": "object",
        "required": ["potstill", "name", "steps"],
        "additionalProperties": False,
        "properties": {
            "potstill": {"const": FORMAT},
            "name": {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_-]*$"},
            "filters": {
                "type": "object",
                "properties": {kind: schema for kind, schema in filters},
                "additionalProperties": {"type": ["object", "null"]},
            },
            "steps": {"type": "object", "additionalProperties": {"oneOf": steps}},
        },
        "$defs": definitions,
    }


def _definition(name: str, model: type[BaseModel], definitions: dict[str, Any]) -> dict[str, str]:
    """Put a model's schema under `$defs` and return a reference to it."""
    template = f"#/$defs/{name}.{{model}}"
    schema = model.model_json_schema(ref_template=template)
    for nested, body in schema.pop("$defs", {}).items():
        definitions[f"{name}.{nested}"] = body
    definitions[name] = schema
    return {"$ref": f"#/$defs/{name}"}


def _one_key(kind: str, schema: dict[str, str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {kind: schema},
        "required": [kind],
        "additionalProperties": False,
    }


def _filter(kind: str, schema: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """A filter under its own name; `kind: other` makes its settings another filter's."""
    renamed = {"type": "object", "required": ["kind"]}
    return kind, {"anyOf": [{"type": "null"}, schema, renamed]}
