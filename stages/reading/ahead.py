"""An iterator that works one step ahead, in a thread of its own.

Parsing, columns and parquet are done outside of Python's lock, so reading the next block while
this one is written uses a second core. One item waits at most, so memory holds one more. Order,
items and errors are those of the iterator itself.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")
_LOOK_EVERY: Final = 0.1
"""Seconds after which a thread that waits looks whether anyone still listens."""


@dataclass(frozen=True)
class _End(Generic[Item]):
    error: BaseException | None


def ahead(items: Iterable[Item]) -> Iterator[Item]:
    """The items in their order; whoever stops listening stops the thread."""
    waiting: queue.Queue[Item | _End[Item]] = queue.Queue(maxsize=1)
    stopped = threading.Event()
    thread = threading.Thread(target=_work, args=(items, waiting, stopped), daemon=True)
    thread.start()
    try:
        while not isinstance(item := waiting.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        stopped.set()
        thread.join()


def _work(
    items: Iterable[Item], waiting: queue.Queue[Item | _End[Item]], stopped: threading.Event
) -> None:
    end: _End[Item] = _End(None)
    try:
        for item in items:
            if not _put(waiting, item, stopped):
                return
    except BaseException as error:  # it belongs to the one who listens
        end = _End(error)
    _put(waiting, end, stopped)


def _put(
    waiting: queue.Queue[Item | _End[Item]], item: Item | _End[Item], stopped: threading.Event
) -> bool:
    while not stopped.is_set():
        try:
            waiting.put(item, timeout=_LOOK_EVERY)
        except queue.Full:
            continue
        return True
    return False
