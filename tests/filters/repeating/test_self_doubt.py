"""When doubts lead somewhere, and when they do not."""

from __future__ import annotations

import pytest

from potstill.filters.repeating.self_doubt import SelfDoubt, self_doubt
from potstill.filters.repeating.utterances import sentences_of


def measure(text: str) -> SelfDoubt:
    return self_doubt(text, sentences_of(text))


START = "Half of 48 is 24, so there are 72 clips. "


@pytest.mark.parametrize(
    ("text", "doubts", "stale"),
    [
        (START, 0, 0),
        (START + "Wait, half of 48 is 24. So 72.", 1, 1),
        (START + "Wait, is June counted? The shop was closed in June.", 1, 0),
        (START + "Hmm, 24 + 24 = 48, and 3 × 24 = 72.", 1, 0),  # 3 is new
        (START + "Let me double-check. Wait, no. Hold on. I'm not sure.", 4, 4),
        (START + "等等，让我再检查一下。48 的一半是 24。不对，再算一遍。72。", 2, 2),
        (START + "等等，让我再检查一下。不对，再算一遍。72。嗯，还是 72。", 3, 3),
        (START + "等等，六月份商店关门了吗？不对，六月开门三十天。", 2, 0),
        ("She has to wait for the bus. No, thanks.", 2, 2),
    ],
)
def test_stale_and_fruitful_doubts(text: str, doubts: int, stale: int) -> None:
    found = measure(text)
    assert (found.doubts, found.stale) == (doubts, stale)


def test_a_fruitful_doubt_takes_back_one_and_the_bare_exclamation_before_it() -> None:
    stale, fruit = "Hmm, it is 72. ", "Let me check the receipt of the stationery shop. "
    assert measure(START + stale * 5 + fruit + stale * 2).stale == 6
    assert measure(START + stale * 5 + "Wait, no. " + fruit + stale * 2).stale == 6
    assert measure(START + "Wait, no. " + fruit + stale).stale == 1


def test_the_span_is_that_of_the_doubts_without_fruit() -> None:
    circle = "Wait, no. Let me check again. 72. Hmm, is that right?"
    healthy = " So the shop sold six dozen clips to the school next door."
    found = measure(START + circle + healthy)
    assert found.span is not None
    assert (START + circle + healthy)[slice(*found.span)].startswith("Wait, no.")
    assert measure(START).span is None


def test_a_puzzle_without_numbers_gets_on_by_combining_known_words() -> None:
    base = "Suppose that Ada lies. Bea, Cleo and Dora: four girls, each speaks truly or lies. "
    turns = [
        "Wait, suppose Ada lies and Dora speaks truly, and Cleo lies and Bea speaks truly.",
        "Wait, suppose Bea speaks truly, Ada lies, Dora lies, Cleo lies, and girls lies truly.",
        "Wait, suppose Dora lies, Ada speaks truly, Bea lies, and four girls lies, Cleo speaks.",
    ]
    assert measure(base + " ".join(turns)).stale == 0
    assert measure(base + " ".join(turns[:1] * 6)).stale >= 4
