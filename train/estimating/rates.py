"""The rate of a large matrix product on a device: what no training exceeds."""

from __future__ import annotations

import time
from typing import Final

from ..running.numerics import Numerics

_SECONDS: Final = 0.5
_SIZES: Final = {"cpu": 1024, "cuda": 8192}
"""Rows and columns: large enough that starting it costs nothing."""


def product_rate(numerics: Numerics) -> float:
    """Floating-point operations a second in the training's arithmetic, the best of a moment.

    The best, for other programs on the machine slow down single products and not the device.
    """
    import torch

    size, device = _SIZES[numerics.device], numerics.device
    factor = torch.ones(size, size, dtype=getattr(torch, numerics.arithmetic), device=device)

    def multiply() -> float:
        began = time.perf_counter()
        factor @ factor
        if device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - began

    multiply()  # the first one starts threads and libraries
    until = time.perf_counter() + _SECONDS
    best = multiply()
    while time.perf_counter() < until:
        best = min(best, multiply())
    return 2 * size**3 / best
