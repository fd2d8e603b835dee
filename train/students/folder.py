"""What a model folder must hold before anything in it is opened.

transformers would say of many of these folders only that a file is missing. Here each has one
error that says what lies there and how to make a model of it: weights as pickles, which could run
code, a LoRA adapter without its base, GGUF, code of the model's own. Nothing is read but names
and config.json.
"""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import Final

from ...models.lint.linted import read_config
from ...pipeline.errors import RequestError

_PICKLES: Final = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.pickle")
_CONVERT: Final = (
    "python -c 'import sys; from transformers import AutoModelForCausalLM as M; "
    "M.from_pretrained(sys.argv[1], weights_only=True).save_pretrained(sys.argv[2])'"
)
_VOCABULARIES: Final = (
    "tokenizer.json",
    "*.model",
    "vocab.json",
    "vocab.txt",
    "tekken.json",
    "*.tiktoken",
)


def refuse_unusable(folder: Path) -> None:
    """Refuse a folder that holds no causal language model in safetensors.

    Raises:
        RequestError: names the file at fault and what to do.
    """
    _refuse_adapter(folder)
    if not any(folder.glob("*.safetensors")):
        _refuse_other_weights(folder)
    _refuse_own_code(folder)
    if not any(file for pattern in _VOCABULARIES for file in folder.glob(pattern)):
        # transformers 5 would make an empty tokenizer from config.json, without a word.
        raise RequestError(
            f"{folder} has no tokenizer that can be loaded. Expected tokenizer.json and "
            "tokenizer_config.json beside the weights."
        )


def _refuse_adapter(folder: Path) -> None:
    if (folder / "config.json").exists() or not (folder / "adapter_config.json").exists():
        return
    base = read_config(folder / "adapter_config.json").get("base_model_name_or_path")
    raise RequestError(
        f"{folder} holds a LoRA adapter (of {base!r}) and no whole model. Expected a model: train "
        "that step with lora: {save: merged}, or merge the adapter into its base first."
    )


def _refuse_other_weights(folder: Path) -> None:
    for pattern in _PICKLES:
        for file in sorted(folder.glob(pattern)):
            if file.name != "training_args.bin":
                raise RequestError(
                    f"{folder} holds its weights as a pickle ({file.name}), which can run code "
                    "when it is opened, so it is not opened. Expected *.safetensors. If you trust "
                    f"its source, convert it once: {_CONVERT} {quote(str(folder))} NEW_FOLDER "
                    "(and copy its tokenizer there)."
                )
    for file in sorted(folder.glob("*.gguf")):
        raise RequestError(
            f"{folder} holds its weights as GGUF ({file.name}), which is rounded for serving and "
            "cannot be trained. Expected *.safetensors: take the repository it was made from."
        )


def _refuse_own_code(folder: Path) -> None:
    """A model class that transformers has not, beside code that it would have to run."""
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    config = read_config(folder / "config.json")
    kind = config.get("model_type")
    if config.get("auto_map") and kind not in CONFIG_MAPPING:
        raise RequestError(
            f"{folder} needs code of its own (auto_map in config.json, model_type {kind!r}), which "
            "is never run. Expected a model type that transformers itself knows: take a variant "
            "that was converted to it, or a newer transformers."
        )
