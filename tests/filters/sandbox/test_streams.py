"""Reading what a program writes: up to the limit, until the deadline, never more."""

from __future__ import annotations

import os
import threading
import time

import pytest

from potstill.filters.sandbox.streams import sealed, watch


def test_all_is_read_until_everyone_has_closed() -> None:
    pipes = [os.pipe() for _ in range(3)]
    for number, (_, writer) in enumerate(pipes):
        os.write(writer, b"x" * number)
        os.close(writer)
    written, cut = watch([reader for reader, _ in pipes], 10, time.monotonic() + 5)
    assert (written, cut) == ([b"", b"x", b"xx"], None)
    for reader, _ in pipes:
        os.close(reader)


@pytest.mark.parametrize(("size", "cut"), [(10, None), (11, "output"), (50_000, "output")])
def test_a_stream_is_cut_at_its_limit(size: int, cut: str | None) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"x" * size)
    os.close(writer)
    assert watch([reader], 10, time.monotonic() + 5) == ([b"x" * 10], cut)
    os.close(reader)


def test_slow_drip_ends_at_the_deadline() -> None:
    reader, writer = os.pipe()
    done = threading.Event()

    def drip() -> None:
        while not done.wait(0.01):
            os.write(writer, b".")

    thread = threading.Thread(target=drip)
    thread.start()
    (written,), cut = watch([reader], 1000, time.monotonic() + 0.2)
    done.set()
    thread.join()
    assert cut == "wall"
    assert 0 < len(written) < 100
    os.close(reader)
    os.close(writer)


def test_what_is_given_to_a_program_cannot_be_changed_by_it() -> None:
    descriptor = sealed(b"input")
    with pytest.raises(PermissionError):
        os.pwrite(descriptor, b"other", 0)
    with pytest.raises(PermissionError):
        os.ftruncate(descriptor, 1)
    assert os.read(descriptor, 100) == b"input"
    os.close(descriptor)
