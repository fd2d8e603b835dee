"""A sequence-classification model of `transformers`, asked for the logits of conversations.

The weights come from safetensors, the model's own code is never run, and a folder whose weights do
not fill the whole network (a plain language model, whose scoring layer would be drawn at random) is
refused. A conversation is rendered by the model's own chat template as model cards of reward models
do it, or as a pair of texts where there is no template. Nothing is ever cut: how long a rendered
conversation is, and how long it may be, is told before it is run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from ..pipeline.errors import RequestError
from ..pipeline.sample import Message
from .chat import END_THINK, THINK
from .control_tokens import defused

Dtype = Literal["auto", "float32", "bfloat16", "float16"]

Encoded: TypeAlias = dict[str, list[int]]
"""What the tokenizer makes of one conversation: `input_ids` and perhaps `token_type_ids`."""

_TAGS: Final = (THINK, END_THINK)
_NO_LIMIT: Final = 10**9
"""Tokenizers without a limit say a number far above this one."""
_PROBE: Final = "potstillprobe"


@dataclass
class RewardNetwork:
    """A loaded model with its tokenizer; one thread uses it at a time."""

    tokenizer: Any
    network: Any
    device: str
    limit: int
    """Most tokens of one conversation."""
    labels: tuple[str, ...]
    """One name for each logit."""
    are_exclusive: bool
    """Exactly one label applies; otherwise each logit is an opinion by itself."""

    @property
    def keeps_thinking(self) -> bool:
        """Whether a thought in the last turn reaches the model: some chat templates drop it."""
        turns = (Message("user", "?"), Message("assistant", f"{THINK}\n{_PROBE}\n{END_THINK}\n?"))
        return not self.tokenizer.chat_template or _PROBE in self._rendered(turns)

    def encode(self, prompt: Sequence[Message], completion: str) -> Encoded:
        """Token ids of a conversation, with control tokens in its texts broken up.

        Raises:
            RequestError: the chat template refuses it.
        """
        turns = [Message(turn.role, defused(turn.content)) for turn in prompt]
        return self._encode(turns, defused(completion, _TAGS))

    def logits(self, batch: Sequence[Encoded]) -> list[list[float]]:
        """The logits of some conversations, each as if it were alone but for rounding."""
        import torch

        longest = max(len(each["input_ids"]) for each in batch)
        fillers = {"input_ids": self._padding or 0, "token_type_ids": 0}
        given = {
            name: _padded([each[name] for each in batch], longest, fillers[name])
            for name in batch[0]
        }
        masks = [[1] * len(each["input_ids"]) for each in batch]
        given["attention_mask"] = _padded(masks, longest, 0)
        tensors = {name: torch.tensor(rows, device=self.device) for name, rows in given.items()}
        with torch.inference_mode():
            found: list[list[float]] = self.network(**tensors).logits.float().cpu().tolist()
        return found

    @property
    def can_pad(self) -> bool:
        """Whether conversations of different lengths may share a batch.

        A decoder reads its score at the last token that is no padding, so without a padding token
        it could not find it.
        """
        return self._padding is not None

    @property
    def _padding(self) -> int | None:
        number: int | None = self.network.config.get_text_config().pad_token_id
        return number

    def _encode(self, turns: Sequence[Message], completion: str) -> Encoded:
        if not self.tokenizer.chat_template:
            question = "\n\n".join(turn.content for turn in turns)
            return _known(self.tokenizer(question, completion, truncation=False, verbose=False))
        text = self._rendered([*turns, Message("assistant", completion)])
        return _known(self.tokenizer(text, add_special_tokens=False, verbose=False))

    def _rendered(self, turns: Sequence[Message]) -> str:
        from jinja2 import TemplateError

        told = [{"role": turn.role, "content": turn.content} for turn in turns]
        try:
            return str(self.tokenizer.apply_chat_template(told, tokenize=False))
        except TemplateError as error:
            raise RequestError(f"the chat template refuses the conversation: {error}") from error


def load_reward_network(folder: Path, device: str, dtype: Dtype) -> RewardNetwork:
    """Load a model folder.

    Args:
        device: as torch names it; `auto` is the GPU if there is one.
        dtype: of the weights; `auto` is float32 on the CPU and the folder's own on a GPU.

    Raises:
        RequestError: no sequence-classification model with safetensors weights lies there.
    """
    try:
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer
    except ImportError as error:
        raise RequestError(
            f"a reward model needs torch and transformers: {error}. Install them with "
            "pip install 'potstill[train]'."
        ) from error
    where = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    kind: Any = getattr(torch, dtype) if dtype != "auto" else "auto"
    if dtype == "auto" and where == "cpu":
        kind = torch.float32
    given = {"local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, **given)
        network, info = AutoModelForSequenceClassification.from_pretrained(
            folder, use_safetensors=True, dtype=kind, output_loading_info=True, **given
        )
        network.to(where)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise RequestError(
            f"{folder} cannot be loaded as a reward model: {error}. Expected a sequence-"
            "classification model of transformers with safetensors weights and its tokenizer."
        ) from error
    if missing := sorted(info["missing_keys"]):
        raise RequestError(
            f"{folder} is no sequence-classification model: it has no weights for "
            f"{', '.join(missing[:3])}, so its scores would be drawn at random. Expected a model "
            "trained to score."
        )
    return _wrapped(tokenizer, network.eval(), where)


def _wrapped(tokenizer: Any, network: Any, device: str) -> RewardNetwork:
    config = network.config
    own = getattr(config.get_text_config(), "max_position_embeddings", None)
    limits = [own, tokenizer.model_max_length]
    known = [int(limit) for limit in limits if limit is not None and limit < _NO_LIMIT]
    labels = tuple(config.id2label[number] for number in range(config.num_labels))
    exclusive = config.num_labels > 1 and config.problem_type != "multi_label_classification"
    return RewardNetwork(
        tokenizer, network, device, min(known, default=_NO_LIMIT), labels, exclusive
    )


def _known(encoding: Any) -> Encoded:
    names = [name for name in ("input_ids", "token_type_ids") if name in encoding]
    return {name: list(encoding[name]) for name in names}


def _padded(rows: Sequence[Sequence[int]], length: int, filler: int) -> list[list[int]]:
    return [[*row, *[filler] * (length - len(row))] for row in rows]
