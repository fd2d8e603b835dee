"""Cutting one column in two before columns are looked up.

GSM8K's answers hold the worked solution and the key in one text:
`{column: answer, at: "####", into: [worked, key]}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...pipeline.errors import RequestError
from ...pipeline.stage import Config
from ...pipeline.suggest import suggest
from .rows import BadRow


class SplitText(Config):
    """Cuts one column in two at the last `at`, before columns are looked up.

    GSM8K's answers hold the worked solution and the key in one text:
    `{column: answer, at: "####", into: [worked, key]}`.
    """

    column: str
    at: str
    into: tuple[str, str]

    def columns(self, have: set[str]) -> set[str]:
        """The columns of a source once its rows are cut.

        Raises:
            RequestError: `column` is not there, or one of `into` already is.
        """
        if self.column not in have:
            raise RequestError(
                f"split_text: there is no column {self.column!r}; {suggest(self.column, have)}"
            )
        rest = have - {self.column}
        if taken := sorted(rest & set(self.into)):
            raise RequestError(
                f"split_text makes a column {taken[0]!r}, which the source already has; "
                "choose another name for it"
            )
        return rest | set(self.into)

    def apply(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The row with `into` in the place of `column`, both without outer white space.

        Raises:
            BadRow: missing:<column>, wrong_type:<column>, no_separator, or column_taken where
                this row already has a column of such a name.
        """
        rest = {name: value for name, value in values.items() if name != self.column}
        if rest.keys() & set(self.into):
            raise BadRow("column_taken")
        text = values.get(self.column)
        if text is None:
            raise BadRow(f"missing:{self.column}")
        if not isinstance(text, str):
            raise BadRow(f"wrong_type:{self.column}")
        before, found, after = text.rpartition(self.at)
        if not found:
            raise BadRow("no_separator")
        return {**rest, self.into[0]: before.strip(), self.into[1]: after.strip()}
