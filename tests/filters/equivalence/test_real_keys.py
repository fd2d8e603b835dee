"""Every key of the real sets: accepted in nine written forms, rejected beside its neighbour's."""

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from potstill.filters.equivalence.complexity import too_complex
from potstill.filters.equivalence.math_check import Question, check, fault_of_key

DATA = Path(__file__).resolve().parents[3] / "../shared/data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="needs ../shared/data")

FILES = ["gsm8k_train", "gsm8k_test", "cmath", "aime24", "amc23"]


def keys(name: str) -> list[str]:
    rows = [json.loads(line) for line in (DATA / f"{name}.jsonl").read_text("utf-8").splitlines()]
    return [str(row["answer"]).rpartition("####")[2].strip() for row in rows]


def number(key: str) -> Fraction:
    """The plain value of a key of these sets; `12%` is 12."""
    return Fraction(key.replace(",", "").replace("%", ""))


def fraction(key: str) -> str:
    value = number(key)
    sign, above, below = "-" if value < 0 else "", abs(value.numerator), value.denominator
    return rf"{sign}\dfrac{{{3 * above}}}{{{3 * below}}}" + (r"\%" if "%" in key else "")


FORMS: dict[str, Callable[[str], str]] = {
    "as it is": lambda key: key,
    "in math": lambda key: rf"\( {key} \)",
    "as a fraction": fraction,
    "with a unit": lambda key: rf"{key} \text{{ units}}",
    "named": lambda key: f"x = {key}",
    "with a full stop": lambda key: f"**{key}**.",
    "in Chinese": lambda key: f"{key}个",
    "as money": lambda key: rf"\${key}",
    "leading zero": lambda key: key.replace("-", "-0") if key[0] == "-" else f"0{key}",
}


@pytest.mark.parametrize("name", FILES)
def test_every_key_is_accepted_in_every_form(name):
    rejected = [
        (key, form)
        for key in dict.fromkeys(keys(name))
        for form, write in FORMS.items()
        if (form != "leading zero" or "," not in key)
        if check(Question(key=key, answer=write(key))).reason != "correct"
    ]
    assert not rejected


@pytest.mark.parametrize("name", FILES)
def test_no_key_is_accepted_for_its_neighbour(name):
    found = keys(name)
    values = [number(key) for key in found]
    accepted = [
        (key, other)
        for key, other, one, two in zip(found, found[1:], values, values[1:], strict=False)
        if one != two and check(Question(key=key, answer=other)).reason != "wrong"
    ]
    assert not accepted


@pytest.mark.parametrize("name", FILES)
def test_no_key_is_refused_before_it_is_compared(name):
    refused = [key for key in keys(name) if fault_of_key(key) or too_complex(key)]
    assert not refused
