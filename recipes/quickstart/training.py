"""Training a tiny model from scratch on fresh problems, sampling from it, and saving it.

Every step sees problems drawn anew, so there are no epochs and nothing to overfit; only
completion tokens carry loss. A plain PyTorch loop: it makes the quickstart's models and is no
part of potstill's training steps, which run on trl.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import torch

from potstill.recipes.quickstart.traces import Example

IGNORED = -100
MAX_TOKENS = 192


@dataclass(frozen=True, slots=True)
class Schedule:
    """Steps, learning rate and its shape: warm-up, then cosine down to `floor` times the peak."""

    steps: int
    batch: int = 16  # small: four times faster to the same arithmetic than 48, on a CPU
    peak: float = 2e-3
    warmup: int = 100
    floor: float = 0.02

    def rate(self, step: int) -> float:
        if step < self.warmup:
            return self.peak * (step + 1) / self.warmup
        progress = (step - self.warmup) / max(1, self.steps - self.warmup)
        shape = 0.5 * (1 + math.cos(math.pi * progress))
        return self.peak * (self.floor + (1 - self.floor) * shape)


def device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def encode(tokenizer: Any, example: Example) -> tuple[list[int], list[int]]:
    """Ids and labels of one example; the prompt's labels are ignored, and untrained pieces'."""
    messages, pieces, ended = example
    prompt = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    ids = tokenizer.encode(prompt, add_special_tokens=False)
    labels = [IGNORED] * len(ids)
    for text, trained in pieces:
        added = tokenizer.encode(text, add_special_tokens=False)
        ids += added
        labels += added if trained else [IGNORED] * len(added)
    if ended:
        ids.append(tokenizer.eos_token_id)
        labels.append(tokenizer.eos_token_id)
    return ids, labels


def batches(
    tokenizer: Any, draw: Callable[[Random], Example], size: int, seed: int
) -> Iterator[dict[str, torch.Tensor]]:
    """Endless batches; examples of similar length go together, so little is padding."""
    rng = Random(seed)
    while True:
        pool = sorted((encode(tokenizer, draw(rng)) for _ in range(size * 16)), key=_length)
        groups = [pool[start : start + size] for start in range(0, len(pool), size)]
        rng.shuffle(groups)
        for group in groups:
            yield _pad(group, tokenizer.pad_token_id)


def train(
    model: Any,
    source: Iterator[dict[str, torch.Tensor]],
    schedule: Schedule,
    stop: Callable[[int], bool] = lambda step: False,
) -> int:
    """Train until the schedule ends or `stop` says so; returns the steps taken."""
    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.98), weight_decay=0.01)
    model.train()
    began = time.monotonic()
    for step in range(schedule.steps):
        for group in optimizer.param_groups:
            group["lr"] = schedule.rate(step)
        batch = {name: tensor.to(model.device) for name, tensor in next(source).items()}
        # bfloat16 with plain attention: 0.26 s a step on two cores, against 0.42 in float32.
        with torch.autocast(model.device.type, dtype=torch.bfloat16):
            loss = model(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if (step + 1) % 100 == 0:
            _report(step + 1, schedule.steps, loss.item(), began)
        if (step + 1) % 50 == 0:
            if stop(step + 1):
                return step + 1
            model.train()
    return schedule.steps


def sample(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[list[dict[str, str]]],
    temperature: float,
    seed: int,
) -> list[str]:
    """One completion a prompt, as text without the end-of-turn token."""
    torch.manual_seed(seed)
    model.eval()
    texts: list[str] = []
    for start in range(0, len(prompts), 128):
        rendered = [
            tokenizer.apply_chat_template(prompt, tokenize=False, add_generation_prompt=True)
            for prompt in prompts[start : start + 128]
        ]
        texts += _sample_batch(model, tokenizer, rendered, temperature)
    return texts


def _sample_batch(model: Any, tokenizer: Any, rendered: list[str], temperature: float) -> list[str]:
    inputs = tokenizer(
        rendered,
        return_tensors="pt",
        padding=True,
        padding_side="left",
        add_special_tokens=False,
        return_token_type_ids=False,
    ).to(model.device)
    out = model.generate(
        **inputs,
        do_sample=True,
        temperature=temperature,
        top_p=0.95,
        top_k=0,
        max_new_tokens=MAX_TOKENS,
        pad_token_id=tokenizer.pad_token_id,
    )
    answers = out[:, inputs["input_ids"].shape[1] :]
    return list(tokenizer.batch_decode(answers, skip_special_tokens=True))


def save(model: Any, tokenizer: Any, folder: Path) -> None:
    """Write weights in float16 and a config that loads them as float32.

    Half the size, and no difference that sampling could show; computing in float16 would be slow
    on a CPU and unsafe to fine-tune.
    """
    from safetensors.torch import save_file
    from transformers import AutoTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    model.generation_config.save_pretrained(folder)
    model.config.architectures = [type(model).__name__]  # trl looks the class up here
    model.config.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    # transformers 5 loads any tokenizer beside a Qwen2 config as its own class, with Qwen's
    # pre-tokenizer and NFC. Our text is encoded the same; the file shall say what happens.
    AutoTokenizer.from_pretrained(folder).save_pretrained(folder)
    state = model.state_dict()
    if model.config.tie_word_embeddings:
        state.pop("lm_head.weight")  # the same tensor as the embeddings; stored once
    halves = {name: tensor.half().contiguous().cpu() for name, tensor in state.items()}
    weights = folder / "model.safetensors"
    save_file(halves, weights, metadata={"format": "pt"})
    weights.chmod(0o644)  # safetensors writes 0600, which another user of a checkout cannot read


def _length(encoded: tuple[list[int], list[int]]) -> int:
    return len(encoded[0])


def _pad(group: list[tuple[list[int], list[int]]], pad: int) -> dict[str, torch.Tensor]:
    width = max(map(_length, group))
    ids = [row + [pad] * (width - len(row)) for row, _ in group]
    labels = [row + [IGNORED] * (width - len(row)) for _, row in group]
    mask = [[1] * len(row) + [0] * (width - len(row)) for row, _ in group]
    return {
        "input_ids": torch.tensor(ids),
        "labels": torch.tensor(labels),
        "attention_mask": torch.tensor(mask),
    }


def _report(step: int, steps: int, loss: float, began: float) -> None:
    seconds = time.monotonic() - began
    left = seconds / step * (steps - step)
    print(
        f"  step {step}/{steps}  loss {loss:.3f}  {seconds:.0f} s, at most {left:.0f} s left",
        flush=True,
    )
