"""Working ahead changes nothing but the time: order, errors and the end are kept."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from potstill.stages.reading.ahead import ahead


def failing() -> Iterator[int]:
    yield 1
    raise KeyError("broken")


def test_items_come_in_their_order() -> None:
    assert list(ahead(range(500))) == list(range(500))
    assert list(ahead([])) == []


def test_an_error_comes_where_it_happened() -> None:
    items = ahead(failing())
    assert next(items) == 1
    with pytest.raises(KeyError, match="broken"):
        next(items)


def test_one_item_waits_at_most_and_nothing_is_left_behind() -> None:
    taken: list[int] = []

    def counted() -> Iterator[int]:
        for number in range(1000):
            taken.append(number)
            yield number

    threads = threading.active_count()
    items = ahead(counted())
    assert [next(items) for _ in range(3)] == [0, 1, 2]
    items.close()  # type: ignore[attr-defined]
    assert threading.active_count() == threads
    assert len(taken) <= 5
