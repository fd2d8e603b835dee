"""The front matter of a dataset card: what the hub and `datasets` read before any file.

configs say where the splits lie, dataset_info their types, rows and bytes. Values are facts of the
export; the licence is what the recipe says, or all those of the sources.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

import pyarrow as pa

from ...pipeline.references import reference_kind
from .cells import cell_schema
from .folder import Folder
from .licences import for_front_matter
from .steps import Steps

_SIZES: Final = (
    (1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"), (100_000_000, "10M<n<100M"), (1_000_000_000, "100M<n<1B"),
)  # fmt: skip
"""https://huggingface.co/docs/hub/datasets-cards: the hub's size categories."""
_LANGUAGE: Final = re.compile("[a-z]{2,3}")


def front_matter(
    folder: Folder, steps: Steps, schema: pa.Schema, format_: str, licence: str | None
) -> dict[str, Any]:
    """As plain values."""
    origins = [artifact.metrics.get("origin") or {} for artifact in steps.of_kind("load")]
    licences = [artifact.metrics.get("license") for artifact in steps.of_kind("load", "reuse")]
    hub = {str(each["name"]) for each in origins if each.get("kind") == "hub"}
    languages = {
        each for each in folder.contents["samples"]["language"] if _LANGUAGE.fullmatch(each)
    }
    readable = cell_schema(schema) if format_ == "csv" else schema
    return {
        "license": licence or for_front_matter(licences),
        **({"language": sorted(languages)} if languages else {}),
        "task_categories": ["text-generation"],
        "size_categories": [_size(folder.rows)],
        "tags": ["potstill", *_tags(folder)],
        **({"source_datasets": sorted(map(_hub_name, hub))} if hub else {}),
        "configs": [{"config_name": "default", "data_files": _data_files(folder, format_)}],
        "dataset_info": {
            "config_name": "default",
            "features": [_feature(field) for field in readable],
            "splits": [
                {"name": name, "num_bytes": facts["num_bytes"], "num_examples": facts["rows"]}
                for name, facts in folder.splits().items()
            ],
            "download_size": sum(file.bytes for file in folder.files),
            "dataset_size": sum(folder.num_bytes.values()),
        },
    }


def _tags(folder: Folder) -> Iterable[str]:
    return ["synthetic", "distillation"] if folder.contents["teachers"] else []


def _hub_name(name: str) -> str:
    return name.removeprefix("hub:") if reference_kind(name) == "hub" else name


def _data_files(folder: Folder, format_: str) -> list[dict[str, str]]:
    return [{"split": split, "path": f"data/{split}-*.{format_}"} for split in folder.account.rows]


def _size(rows: int) -> str:
    return next((name for most, name in _SIZES if rows < most), "1B<n<10B")


def _feature(field: pa.Field) -> dict[str, Any]:
    """A column as `datasets` writes its type; `Features.from_arrow_schema` gives the same."""
    kind = field.type
    if pa.types.is_list(kind):
        return {"name": field.name, "list": [_feature(each) for each in kind.value_type]}
    if pa.types.is_struct(kind):
        return {"name": field.name, "struct": [_feature(each) for each in kind]}
    return {"name": field.name, "dtype": str(kind)}
