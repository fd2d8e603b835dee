"""An event loop that turns when it is told to, and closes in peace whatever was wished before."""

import asyncio
import time

from potstill.models.endpoint_loop import Loop


def test_a_wish_that_is_still_queued_does_not_end_the_closing() -> None:
    loop = Loop()
    loop.wake()
    loop.close(asyncio.sleep(0.05))


def test_a_wish_to_stop_soon_neither() -> None:
    loop = Loop()
    loop.stop_soon()
    loop.close(asyncio.sleep(0.05))


def test_waking_ends_a_turn_before_its_time() -> None:
    loop = Loop()
    loop.wake()
    began = time.monotonic()
    assert loop.turn(30) is False
    assert time.monotonic() - began < 20
    assert loop.turn(0.01) is True
    loop.close(asyncio.sleep(0))
