"""Who writes completions while a student is trained: vLLM beside the training, or transformers.

vLLM shares each GPU with the training and takes over its weights before each generation (trl's
colocate mode). trl 1.16 declares vllm 0.22 to 0.31; on the CPU `transformers` writes.
"""

from __future__ import annotations

from importlib.util import find_spec

from ..pipeline.errors import RequestError


def choose_engine(engine: str, device: str) -> str:
    """`vllm` or `transformers`.

    Raises:
        RequestError: vllm was asked for, and there is no GPU or no vLLM.
    """
    installed = find_spec("vllm") is not None
    if engine == "auto":
        return "vllm" if device == "cuda" and installed else "transformers"
    if engine == "vllm" and (device != "cuda" or not installed):
        lacking = "vllm is not installed" if device == "cuda" else f"the training runs on {device}"
        raise RequestError(
            f"engine: vllm was asked for, and {lacking}. It shares each GPU with the training and "
            "takes over its weights; set engine: auto, or install vllm on a machine with a GPU."
        )
    return engine
