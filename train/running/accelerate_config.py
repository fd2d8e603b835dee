"""Files of accelerate that say how processes work together: shipped ones, and those of users.

Read by accelerate's own loader. Refused is what cannot work here or would leave checkpoints without
whole weights, from which no result could be made.
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Literal

from ...pipeline.errors import RequestError
from ...pipeline.suggest import suggest

Sharding = Literal["none", "fsdp", "deepspeed"]
"""What cuts a model into pieces."""

FOLDER: Final = Path(__file__).parents[1] / "accelerate"
"""Of the shipped configs."""
_SHARDING: Final[dict[str, Sharding]] = {
    "MULTI_GPU": "none",
    "FSDP": "fsdp",
    "DEEPSPEED": "deepspeed",
}


def shipped() -> dict[str, Path]:
    """The shipped configs by name."""
    return {file.stem: file for file in sorted(FOLDER.glob("*.yaml"))}


def find_config(name: str) -> Path:
    """A shipped config, or a file.

    Raises:
        RequestError: neither; names the closest shipped one.
    """
    if name in shipped():
        return shipped()[name]
    file = Path(name).expanduser()
    if not file.is_file():
        raise RequestError(
            f"accelerate: {name} is no shipped config and no file here; {suggest(name, shipped())}"
        )
    return file.absolute()


def read_config(file: Path) -> Any:
    """accelerate's `ClusterConfig`.

    Raises:
        RequestError: it is none, or one that cannot be used.
    """
    from accelerate.commands.config.config_args import ClusterConfig, load_config_from_file

    try:
        config = load_config_from_file(str(file))
    except Exception as error:  # whatever a file makes of it: ValueError, YAMLError, TypeError, …
        raise RequestError(
            f"{file} is no config of accelerate: {error}. Expected what `accelerate config` writes."
        ) from error
    if not isinstance(config, ClusterConfig):
        raise RequestError(f"{file}: expected compute_environment: LOCAL_MACHINE")
    if config.fsdp_config:
        _refuse_partial_fsdp(file, config.fsdp_config)
    if config.deepspeed_config:
        _refuse_partial_deepspeed(file, config.deepspeed_config)
    return config


def sharding_of(file: Path, config: Any) -> Sharding:
    """What a config cuts the model into pieces with.

    Raises:
        RequestError: a way of training together that is not supported.
    """
    kind = str(config.distributed_type.value)
    if kind not in _SHARDING:
        raise RequestError(
            f"{file}: distributed_type {kind} cannot be used; {suggest(kind, _SHARDING)}"
        )
    return _SHARDING[kind]


def _refuse_partial_fsdp(file: Path, config: dict[str, Any]) -> None:
    saved = str(config.get("fsdp_state_dict_type", "")).upper()
    if saved != "FULL_STATE_DICT":
        raise RequestError(
            f"{file}: fsdp_state_dict_type is {saved or 'not set'}, so no checkpoint would hold "
            "whole weights. Set fsdp_state_dict_type: FULL_STATE_DICT."
        )


def _refuse_partial_deepspeed(file: Path, config: dict[str, Any]) -> None:
    if find_spec("deepspeed") is None:
        raise RequestError(
            f"{file} needs deepspeed, not installed here. Install: pip install deepspeed; or use "
            "FSDP2, which comes with torch (accelerate: fsdp2-8)."
        )
    if own := config.get("deepspeed_config_file"):
        zero = _read_json(file, Path(own)).get("zero_optimization", {})
        stage, whole = zero.get("stage"), zero.get("stage3_gather_16bit_weights_on_model_save")
    else:
        stage, whole = config.get("zero_stage"), config.get("zero3_save_16bit_model")
    if stage == 3 and whole is not True:
        raise RequestError(
            f"{file}: ZeRO-3 would save no whole weights. Set zero3_save_16bit_model: true, or in "
            "a file of DeepSpeed stage3_gather_16bit_weights_on_model_save."
        )


def _read_json(file: Path, own: Path) -> dict[str, Any]:
    try:
        read: dict[str, Any] = json.loads(own.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RequestError(
            f"{file}: deepspeed_config_file {own} cannot be read: {error}"
        ) from error
    return read
