"""How transformers draws the next token: vLLM's fields, with vLLM's meaning and in vLLM's order.

Forbidden words, minimal length, bias, penalties, temperature, min_p, top_k, top_p, then the draw.
`generate` is asked for greedy search and the draw is the last processor, so that every sequence
has a random generator of its own. Penalties are made here because those of transformers count the
padding before a prompt as text, and would punish the token that ends a turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .local_model import LocalModel
from .sampling import Sampling


def processors(
    sampling: Sampling, model: LocalModel, prompts: Sequence[list[int]], seeds: Sequence[int | None]
) -> list[Any]:
    """Logits processors for one batch of sequences, all drawn by `sampling`.

    Args:
        prompts: token ids without padding; padded on the left to the longest.
        seeds: one for each sequence.
    """
    start = max(map(len, prompts))
    steps: list[Any] = []
    if sampling.bad_words:
        steps.append(_forbid(_word_tokens(model.tokenizer, sampling.bad_words), start))
    if sampling.min_tokens:
        endings = sorted(model.stop_ids.union(sampling.stop_token_ids or ()))
        steps.append(_forbid_until(start + sampling.min_tokens, endings))
    if sampling.logit_bias:
        steps.append(_bias({int(token): bias for token, bias in sampling.logit_bias.items()}))
    if sampling.presence_penalty or sampling.frequency_penalty or sampling.repetition_penalty:
        steps.append(_penalties(sampling, prompts))
    return steps if sampling.temperature == 0 else [*steps, *_random(sampling, seeds)]


def _random(sampling: Sampling, seeds: Sequence[int | None]) -> list[Any]:
    from transformers import (
        MinPLogitsWarper,
        TemperatureLogitsWarper,
        TopKLogitsWarper,
        TopPLogitsWarper,
    )

    steps: list[Any] = [TemperatureLogitsWarper(sampling.temperature)]
    if sampling.min_p:
        steps.append(MinPLogitsWarper(sampling.min_p))
    if sampling.top_k and sampling.top_k > 0:
        steps.append(TopKLogitsWarper(sampling.top_k))
    if sampling.top_p < 1:
        steps.append(TopPLogitsWarper(sampling.top_p))
    return [*steps, draw(seeds)]


def _word_tokens(tokenizer: Any, words: Sequence[str]) -> list[list[int]]:
    """The tokens of each word, and of it after a space where that begins with another token."""
    found: list[list[int]] = []
    for word in words:
        bare, spaced = (
            list(tokenizer.encode(text, add_special_tokens=False))
            for text in (word.lstrip(), f" {word.lstrip()}")
        )
        found.append(bare)
        if spaced and spaced[0] != bare[0] and len(spaced) == len(bare):
            found.append(spaced)
    return found


def _forbid(words: Sequence[list[int]], start: int) -> Any:
    """The last token of a word is impossible where the others were just written."""

    def forbid(input_ids: Any, scores: Any) -> Any:
        scores = scores.clone()
        for row, written in enumerate(input_ids[:, start:].tolist()):
            for *before, last in words:
                if len(before) <= len(written) and written[len(written) - len(before) :] == before:
                    scores[row, last] = float("-inf")
        return scores

    return forbid


def _forbid_until(length: int, tokens: list[int]) -> Any:
    def forbid(input_ids: Any, scores: Any) -> Any:
        if input_ids.shape[1] < length:
            scores = scores.clone()
            scores[:, tokens] = float("-inf")
        return scores

    return forbid


def _bias(by_token: dict[int, float]) -> Any:
    def add(input_ids: Any, scores: Any) -> Any:
        scores = scores.clone()
        for token, bias in by_token.items():
            scores[:, token] += bias
        return scores

    return add


def _penalties(sampling: Sampling, prompts: Sequence[list[int]]) -> Any:
    """Repetition counts the prompt as said; presence and frequency only what was generated."""
    import torch

    start = max(map(len, prompts))
    repetition = sampling.repetition_penalty or 1.0
    frequency, presence = sampling.frequency_penalty or 0.0, sampling.presence_penalty or 0.0
    asked: list[Any] = []

    def penalise(input_ids: Any, scores: Any) -> Any:
        if not asked:
            asked.append(torch.zeros_like(scores, dtype=torch.bool))
            for row, prompt in enumerate(prompts):
                asked[0][row, prompt] = True
        written = input_ids[:, start:]
        counts = torch.zeros_like(scores)
        counts.scatter_add_(1, written, torch.ones_like(written, dtype=scores.dtype))
        said = asked[0] | (counts > 0)
        pushed = torch.where(scores > 0, scores / repetition, scores * repetition)
        scores = torch.where(said, pushed, scores)
        return scores - frequency * counts - presence * (counts > 0)

    return penalise


def draw(seeds: Sequence[int | None]) -> Any:
    """A logits processor whose argmax is a fair draw from softmax(logits), one seed per row.

    Adding Gumbel noise to logits and taking the largest is sampling (Gumbel 1954); it lets
    `generate` do greedy search and still gives each sequence its own generator.
    """
    import torch

    generators: list[Any] = []

    def add_noise(input_ids: Any, scores: Any) -> Any:
        if not generators:
            generators.extend(_generator(seed, scores.device) for seed in seeds)
        width, device = scores.shape[-1], scores.device
        rows = [torch.rand(width, generator=each, device=device) for each in generators]
        uniform = torch.stack(rows).clamp_min(torch.finfo(torch.float32).tiny)
        return scores.float() - torch.log(-torch.log(uniform))

    return add_noise


def _generator(seed: int | None, device: Any) -> Any:
    import torch

    generator = torch.Generator(device=device)
    if seed is None:
        generator.seed()
    else:
        generator.manual_seed(seed)
    return generator
