"""The two structured fields of a sample that a source may bring: `generation` and `extra`.

Values that parquet and `datasets` hold and JSON does not (dates, decimals, bytes) get a form in
JSON here. Nothing is left out of `extra`: what has no form sets the row aside.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from ...pipeline.sample import SAMPLE_SCHEMA, Generation
from .rows import BadRow
from .strict_json import parse_object

_KEYS = set(Generation.__dataclass_fields__)
UNKNOWN = {"teacher": "", "revision": "", "key": "", "index": 0, "prefilled_think": False}
"""What others' files need not say; how a completion ended is needed, since judges go by it."""


def read_generation(value: Any, finish_reason: Any = None) -> Generation | None:
    """How a completion was made, as our own files spell it or as far as others' say it.

    Args:
        finish_reason: of a column of this name, for rows without a `generation`.

    Raises:
        BadRow: wrong_type:generation or wrong_type:finish_reason.
    """
    if value is None and finish_reason not in (None, ""):
        if not isinstance(finish_reason, str):
            raise BadRow("wrong_type:finish_reason")
        value = {"finish_reason": finish_reason}
    if value is None:
        return None
    if not isinstance(value, Mapping) or value.keys() - _KEYS:
        raise BadRow("wrong_type:generation")
    try:
        made = pa.scalar(dict(value), SAMPLE_SCHEMA.field("generation").type).as_py()
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise BadRow("wrong_type:generation") from error
    if made["finish_reason"] is None:
        raise BadRow("wrong_type:generation")
    known = {name: each for name, each in made.items() if each is not None}
    return Generation(**{**dict.fromkeys(_KEYS), **UNKNOWN, **known})


def pack_extra(rest: dict[str, Any]) -> str:
    """Canonical JSON of the columns that stand for nothing; an `extra` of ours is unpacked.

    Raises:
        BadRow: nan_value or unreadable_value.
    """
    packed = _unpacked(rest.get("extra"))
    others = {name: value for name, value in rest.items() if name != "extra"}
    if packed is not None and not packed.keys() & others.keys():
        rest = {**others, **packed}
    try:
        return json.dumps(
            rest,
            ensure_ascii=False,
            sort_keys=True,
            separators=(",", ":"),
            allow_nan=False,
            default=_plain,
        )
    except ValueError as error:
        raise BadRow("nan_value") from error


def _unpacked(value: Any) -> dict[str, Any] | None:
    if isinstance(value, str):
        try:
            return parse_object(value.encode("utf-8"))
        except BadRow:  # some text of theirs, kept as it is
            return None
    return value if isinstance(value, dict) else None


def _plain(value: Any) -> Any:
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (decimal.Decimal, datetime.timedelta)):
        return str(value)
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode("ascii")}
    raise BadRow("unreadable_value")
