"""Signals are counted inside, interrupt outside, and none is lost in between."""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Iterator

import pytest

from potstill.pipeline.interrupts import Interrupts, blocked


@pytest.fixture(autouse=True)
def as_in_a_terminal() -> Iterator[None]:
    """A test run started in the background would ignore SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def is_readable(interrupts: Interrupts) -> bool:
    return bool(select.select([interrupts.reader], [], [], 0)[0])


def test_inside_they_are_counted_and_wake_who_waits() -> None:
    interrupts = Interrupts()
    for round_ in range(2):
        with interrupts:
            assert not is_readable(interrupts)
            interrupt()
            interrupt()
            assert is_readable(interrupts)
            interrupts.heard()
            assert not is_readable(interrupts)
        assert interrupts.count == 2 * (round_ + 1)
    assert interrupts.last == "Ctrl-C"
    with pytest.raises(KeyboardInterrupt):
        interrupt()


def test_more_signals_than_a_pipe_holds() -> None:
    with Interrupts() as interrupts:
        for _ in range(70_000):
            interrupts._handle(signal.SIGINT, None)
        assert interrupts.count == 70_000


def test_while_publishing_the_second_one_interrupts() -> None:
    interrupts = Interrupts()
    with interrupts.one_deferred():
        interrupt()
        assert interrupts.count == 1
        with pytest.raises(KeyboardInterrupt):
            interrupt()
    with interrupts:  # and afterwards all are counted again
        interrupt()
    assert interrupts.count == 3


def test_what_is_ignored_or_fatal_stays_so() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    before = signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with Interrupts() as interrupts:
            interrupt()
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        assert interrupts.count == 0
    finally:
        signal.signal(signal.SIGTERM, before)


def test_outside_the_main_thread_nothing_changes() -> None:
    counts = []

    def work() -> None:
        with Interrupts() as interrupts:
            counts.append(interrupts.count)

    handler = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert counts == [0]
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_blocked_signal_comes_later() -> None:
    with Interrupts() as interrupts:
        with blocked(signal.SIGINT):
            signal.pthread_kill(threading.get_ident(), signal.SIGINT)
            assert interrupts.count == 0
        assert interrupts.count == 1
