"""Filters that compare an answer with the sample's key, and how a key is asked about itself.

`potstill judge --check-keys` judges what `answering` gives: a filter that does not accept a key
answered with exactly that key could accept no completion of its problem.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class KeyedFilter(Protocol):
    """A filter whose verdict depends on `Sample.answer`."""

    def answering(self, key: str) -> str | None:
        """A completion that answers exactly `key`, in the form that models are asked for.

        None: it can be met, perhaps, but how cannot be told from the key alone.
        """
        ...
