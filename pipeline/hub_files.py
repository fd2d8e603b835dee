"""A dataset on the hub at one commit: its files by name and size, each fetched when it is read.

So a step begins with the first file and fetches none behind the last that it reads: 500 rows of a
repository of a thousand files cost one file. What was fetched stays in the hub client's cache,
where the next run finds it; nothing is removed from there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from .errors import StepFailed
from .external import hub_client, split_hub

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class HubFiles:
    """The files of `hub:owner/name[@rev]`."""

    reference: str
    commit: str
    """What the revision points to; nothing else is ever read."""

    @cached_property
    def sizes(self) -> dict[str, int | None]:
        """Bytes by name, None where the hub does not say.

        Raises:
            StepFailed: the hub does not answer.
        """
        client = hub_client()

        def asked() -> Any:
            return client.HfApi().repo_info(self._name, files_metadata=True, **self._where)

        found = self._of_hub("its list of files", asked)
        return {each.rfilename: each.size for each in found.siblings}

    def fetched(self, name: str) -> Path:
        """Where a file lies, downloaded if it was not before.

        Raises:
            StepFailed: the hub does not give it.
        """
        client = hub_client()
        return Path(
            self._of_hub(name, lambda: str(client.hf_hub_download(self._name, name, **self._where)))
        )

    @property
    def _name(self) -> str:
        return split_hub(self.reference)[0]

    @property
    def _where(self) -> dict[str, str]:
        return {"revision": self.commit, "repo_type": "dataset"}

    def _of_hub(self, what: str, ask: Callable[[], Answer]) -> Answer:
        try:
            return ask()
        except Exception as error:  # the hub client has a dozen classes; all mean the same here
            raise StepFailed(
                f"{self.reference} (commit {self.commit[:12]}): {what} could not be fetched "
                f"({type(error).__name__}: {error}). What came is kept; run the same command "
                "again, or download it and give the folder as ./path."
            ) from error
