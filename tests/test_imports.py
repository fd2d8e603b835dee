"""The core stays light: commands and configs load none of the heavy libraries."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "torch",
    "vllm",
    "trl",
    "transformers",
    "datasets",
    "peft",
    "accelerate",
    "math_verify",
    "sympy",
    "ray",
)


@pytest.mark.parametrize("module", ["potstill.cli", "potstill.catalog"])
def test_nothing_heavy_is_loaded(module: str) -> None:
    code = f"import sys, {module}; print(*(m for m in {HEAVY!r} if m in sys.modules))"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert output.stdout.decode().split() == []
