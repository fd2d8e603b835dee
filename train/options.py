"""Fields of a step as options of a command: `lora: {r: 8}` is `--lora.r 8`.

Read from the step's JSON schema, which `potstill schema` prints too, so a new field needs nothing
here. A dot stands for a level, and `-` for the `_` of a name. How words become values is
`option_values.py`; whether the values fit is pydantic's to say when the recipe is checked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..pipeline.references import Execution
from ..pipeline.stage import Stage
from .settings import TrainingSettings

WHAT: Final = "What is trained on what"
TRAINING: Final = "Training"
EXECUTION: Final = "How it runs (not part of the identity)"

_BOUNDS: Final = {
    "minimum": ">=",
    "exclusiveMinimum": ">",
    "maximum": "<=",
    "exclusiveMaximum": "<",
}


@dataclass(frozen=True)
class Option:
    """A field that a command line may set."""

    path: tuple[str, ...]
    """Where its value stands in the settings of the step."""
    kinds: frozenset[str]
    """JSON types that it takes; an object is `group` where its fields are known, else `mapping`."""
    words: frozenset[str] | None
    """The texts that it takes; None: any."""
    type: str
    """For the help: `integer >=1 or null`."""
    help: str
    group: str
    """Title of the section that lists it."""

    @property
    def flag(self) -> str:
        """As it is typed: `--lora.r`."""
        return "--" + ".".join(self.path).replace("_", "-")


def options_of(stage: type[Stage]) -> list[Option]:
    """All fields of a step, at any depth."""
    schema = stage.model_json_schema()
    return [
        Option(
            path,
            kinds(body, schema),
            words(body, schema),
            type_text(body, schema),
            help_text,
            _group(stage, path),
        )
        for path, body, help_text in _fields(schema, schema, ())
    ]


def sections(options: Sequence[Option]) -> dict[str, list[tuple[str, str]]]:
    """`--flag TYPE` and its help, by the title of the section; those of nested fields come last."""
    found: dict[str, list[tuple[str, str]]] = {WHAT: [], TRAINING: [], EXECUTION: []}
    for option in options:
        found.setdefault(option.group, []).append((f"{option.flag} {option.type}", option.help))
    return found


def arms(body: Mapping[str, Any], schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The alternatives of a field's schema, references followed."""
    if "$ref" in body:
        return arms(schema["$defs"][body["$ref"].rpartition("/")[2]], schema)
    members = body.get("anyOf") or body.get("oneOf")
    return [arm for member in members for arm in arms(member, schema)] if members else [body]


def kinds(body: Mapping[str, Any], schema: Mapping[str, Any]) -> frozenset[str]:
    """What a field takes; see `Option.kinds`."""
    return frozenset(_kind(arm) for arm in arms(body, schema))


def words(body: Mapping[str, Any], schema: Mapping[str, Any]) -> frozenset[str] | None:
    """The texts that a field takes; see `Option.words`."""
    texts = [arm for arm in arms(body, schema) if _kind(arm) == "string"]
    if any("enum" not in arm and "const" not in arm for arm in texts):
        return None
    return frozenset(word for arm in texts for word in arm.get("enum", [arm.get("const")]))


def type_text(body: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """A field's type in a few words."""
    return " or ".join(dict.fromkeys(_arm_text(arm, schema) for arm in arms(body, schema)))


def _fields(
    body: Mapping[str, Any], schema: Mapping[str, Any], path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any], str]]:
    """Path, schema and help of each field below a schema, a group before its own fields."""
    required = body.get("required", ())
    for name, field in body["properties"].items():
        yield (*path, name), field, _help(field, name in required, kinds(field, schema))
        for arm in arms(field, schema):
            if "properties" in arm:
                yield from _fields(arm, schema, (*path, name))


def _group(stage: type[Stage], path: tuple[str, ...]) -> str:
    name = path[0]
    if len(path) > 1:
        return f"Fields of --{name.replace('_', '-')}"
    field = stage.model_fields[name]
    if any(isinstance(mark, Execution) for mark in field.metadata):
        return EXECUTION
    return TRAINING if name in TrainingSettings.model_fields else WHAT


def _help(field: Mapping[str, Any], required: bool, kinds_of_field: frozenset[str]) -> str:
    said = " ".join(field.get("description", "").split())
    if required:
        return f"{said} [required]".strip()
    if "default" not in field or ("group" in kinds_of_field and field["default"] is not None):
        return said  # made of the defaults of its fields
    default = field["default"]
    text = default if isinstance(default, str) else json.dumps(default, ensure_ascii=False)
    return f"{said} [default: {text}]".strip()


def _kind(arm: Mapping[str, Any]) -> str:
    if "properties" in arm:
        return "group"
    kind = arm.get("type", "string" if "enum" in arm or "const" in arm else "any")
    return "mapping" if kind == "object" else str(kind)


def _arm_text(arm: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    kind = _kind(arm)
    if "const" in arm:
        return str(arm["const"])
    if "enum" in arm:
        return "|".join(map(str, arm["enum"]))
    if kind == "array":
        return f"list of {type_text(arm.get('items', {}), schema)}"
    special = {"group": "fields", "mapping": "NAME=VALUE", "boolean": "true|false", "any": "JSON"}
    bounds = [f"{sign}{arm[name]}" for name, sign in _BOUNDS.items() if name in arm]
    return " ".join([special.get(kind, kind), *bounds])
