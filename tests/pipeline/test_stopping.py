"""Who is interrupted by a wish to stop, and who may answer it."""

from __future__ import annotations

import pytest

from potstill.pipeline.stopping import StopSignal


def test_nobody_defers_so_the_first_wish_interrupts() -> None:
    stop = StopSignal()
    with pytest.raises(KeyboardInterrupt):
        stop.request()
    assert stop.requested


def test_a_deferred_wish_is_seen_and_the_second_interrupts() -> None:
    told: list[bool] = []
    stop = StopSignal(told.append)
    with stop.deferred():
        assert told == [True]
        stop.request()
        assert stop.requested
        with pytest.raises(KeyboardInterrupt):
            stop.request()
    assert told == [True, False]


def test_deferring_ends_with_its_block() -> None:
    told: list[bool] = []
    stop = StopSignal(told.append)
    with pytest.raises(ZeroDivisionError), stop.deferred():
        raise ZeroDivisionError
    assert told == [True, False]
    with pytest.raises(KeyboardInterrupt):
        stop.request()


def test_an_earlier_wish_lets_nobody_begin() -> None:
    stop = StopSignal()
    with pytest.raises(KeyboardInterrupt):
        stop.request()
    entered = False
    with pytest.raises(KeyboardInterrupt), stop.deferred():
        entered = True
    assert not entered
