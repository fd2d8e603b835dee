"""Ending a completion at a text and not at a token, for an engine that knows only tokens.

A stop text ends a completion when the token that completes it is written, however the text is
spread over tokens, and is no part of it. vLLM does this by itself; here is the same for
transformers: one look at each step that ends a sequence, and one at the end that cuts the text.
Texts that were complete before `min_tokens` do not count.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from .local_model import LocalModel
from .sampling import Sampling


def stop_text(
    model: LocalModel, sampling: Sampling, tokens: Sequence[int]
) -> tuple[list[int], str] | None:
    """The tokens up to the one that completed a stop text, and the text before it.

    None: no stop text was written.
    """
    stopped = bool(tokens) and tokens[-1] in model.stops(sampling)
    body = list(tokens[:-1] if stopped else tokens)
    text = model.decode(body)
    boundary = len(_whole(model.decode(body[: sampling.min_tokens or 0])))
    found = _first(text, boundary, sampling.stop or ())
    if found is None:
        return None
    begin, end = found
    counts = range(len(body) + 1)
    kept = bisect_left(counts, end, key=lambda count: len(_whole(model.decode(body[:count]))))
    return body[:kept], text[:begin]


def stopping_criteria(
    model: LocalModel, sampling: Sampling, start: int, closing: threading.Event
) -> Any:
    """Says after each step which sequences are over: all of them when `closing` is set.

    Args:
        start: length of the padded prompts.
    """
    import torch

    stops = sampling.stop or ()
    # A character takes at most four tokens (its bytes); four more for one that was begun before.
    reach = 4 * max(map(len, stops), default=0) + 4

    def is_over(row: list[int]) -> bool:
        before = _whole(model.decode(row[:-1]))
        return _first(model.decode(row), len(before), stops) is not None

    def over(input_ids: Any, scores: Any, **_: Any) -> Any:
        rows = input_ids.shape[0]
        if closing.is_set():
            return torch.ones(rows, dtype=torch.bool, device=input_ids.device)
        if not stops or input_ids.shape[1] - start <= (sampling.min_tokens or 0):
            return torch.zeros(rows, dtype=torch.bool, device=input_ids.device)
        tails = input_ids[:, max(start, input_ids.shape[1] - reach) :].tolist()
        return torch.tensor([is_over(tail) for tail in tails], device=input_ids.device)

    return over


def _first(text: str, boundary: int, stops: Sequence[str]) -> tuple[int, int] | None:
    """Begin and end of the stop text that is complete first after `boundary` characters."""
    found = []
    for stop in stops:
        begin = text.find(stop, max(0, boundary - len(stop) + 1))
        if begin >= 0:
            found.append((begin, begin + len(stop)))
    return min(found, key=lambda place: place[1], default=None)


def _whole(text: str) -> str:
    """Without the replacement characters of a character whose last bytes are still to come."""
    return text.rstrip("\ufffd")
