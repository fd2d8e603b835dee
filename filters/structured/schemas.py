"""JSON schemas as they are used for judging: checked once, never fetching anything.

A schema is checked where it is given: its syntax, its regular expressions, that every `$ref` leads
somewhere within it or to a published dialect, and that it does not refer to itself without end.
Drafts 3 to 2020-12 by `$schema`, else 2020-12. `format` is an annotation, as that draft says: what
checks it depends on which other packages are installed.
"""

from __future__ import annotations

import functools
import json
from typing import Any, Final

_PROBES: Final[tuple[object, ...]] = (None, True, 0, "", [], {})
_REFERENCES: Final = ("$ref", "$dynamicRef")


class BadSchema(ValueError):
    """A schema that cannot be used, with what is wrong about it."""


def validator(schema: object) -> Any:
    """A `jsonschema` validator for `schema`; remembered, since checking takes milliseconds.

    Raises:
        BadSchema: it is no schema, or refers to what is not there.
    """
    return _validator(json.dumps(schema, sort_keys=True))


@functools.lru_cache(maxsize=1000)
def _validator(text: str) -> Any:
    from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
    from jsonschema.exceptions import SchemaError  # type: ignore[import-untyped]
    from jsonschema.validators import validator_for  # type: ignore[import-untyped]
    from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]

    schema = json.loads(text)
    if not isinstance(schema, dict | bool):
        raise BadSchema(f"a schema is a JSON object, not {text:.80}")
    dialect = validator_for(schema, default=Draft202012Validator)
    try:
        dialect.check_schema(schema)
    except SchemaError as error:
        raise BadSchema(f"{error.json_path}: {error.message}") from error
    made = dialect(schema, registry=REGISTRY)  # without a registry it would fetch remote $refs
    _check_references(schema, dialect)
    try:
        for probe in _PROBES:
            made.is_valid(probe)
    except RecursionError as error:
        raise BadSchema("it refers to itself without end") from error
    return made


def _check_references(schema: object, dialect: Any) -> None:
    from jsonschema_specifications import REGISTRY
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012, specification_with

    known = specification_with(dialect.META_SCHEMA.get("$schema", ""), default=DRAFT202012)
    root = known.create_resource(schema)
    waiting = [(root, REGISTRY.resolver_with_root(root))]
    while waiting:
        resource, resolver = waiting.pop()
        contents: Any = resource.contents
        for name in _REFERENCES if isinstance(contents, dict) else ():
            if isinstance(contents.get(name), str):
                try:
                    resolver.lookup(contents[name])
                except Unresolvable as error:
                    raise BadSchema(
                        f"{name} {contents[name]!r} leads nowhere; nothing is fetched, so put "
                        "what it refers to under $defs"
                    ) from error
        waiting += [(each, resolver.in_subresource(each)) for each in resource.subresources()]
