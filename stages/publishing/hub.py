"""The hub as publishing needs it: look at a repository, make it, and commit once.

The client is huggingface_hub's; HF_ENDPOINT and HF_HUB_OFFLINE are its own. A commit is atomic:
until it is made the repository is what it was, and files that arrived for one that failed are not
sent again. The token is handed to the client and never told.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from ...pipeline.errors import PotstillError, RequestError, StepFailed
from .contents import Contents
from .remote import Remote, RemoteFile

_UNCHANGED: Final = "nothing was changed there"


class Hub:
    """One repository on the hub."""

    def __init__(self, name: str, repo_type: str, token: str | None) -> None:
        self.name = name
        self._repo_type = repo_type
        self._token = token
        self._client = _library().HfApi(token=token or False)
        if not sys.stderr.isatty():
            _library().utils.disable_progress_bars()

    def look(self, revision: str | None = None) -> Remote:
        """The repository, or that it is not there, or why that is not known."""
        hub = _library()
        here = {"repo_type": self._repo_type, "revision": revision}
        try:
            info = self._client.repo_info(self.name, **here)
            found = self._client.list_repo_tree(
                self.name, recursive=True, repo_type=self._repo_type, revision=info.sha
            )
            files = {each.path: _remote_file(each) for each in found if hasattr(each, "size")}
        except hub.errors.RepositoryNotFoundError as error:
            if error.response.status_code == 404:
                return Remote(False)
            return Remote(None, why_unknown=self._told(error))
        except Exception as error:  # the client has a dozen classes; all leave it unknown
            return Remote(None, why_unknown=self._told(error))
        return Remote(True, str(info.sha), info.private, files)

    def check_writable(self) -> None:
        """Whether the token is one that may write here, as far as the hub says it.

        Raises:
            RequestError: it is not known to the hub, or is of somebody else.
        """
        with self._explained(lambda: _UNCHANGED):
            who = self._client.whoami()
        owner = self.name.partition("/")[0]
        names = [who["name"], *(each["name"] for each in who.get("orgs", []))]
        if owner not in names:
            raise RequestError(
                f"the token is of {who['name']!r}, who does not belong to {owner!r}; expected one "
                f"of {', '.join(names)} before the / of {self.name}"
            )

    def create(self, private: bool) -> Remote:
        """Make the repository; returns it as it is then."""
        with self._explained(lambda: _UNCHANGED):
            self._client.create_repo(
                self.name, repo_type=self._repo_type, private=private, exist_ok=True
            )
        return self.look()

    def commit(
        self, contents: Contents, names: Iterable[str], gone: Iterable[str], message: str, on: str
    ) -> str:
        """Upload files and make one commit; returns its full revision.

        Args:
            gone: files to remove.
            on: the revision that it is made on; if that is no longer the latest, nothing happens.
        """
        hub = _library()
        operations = [
            hub.CommitOperationAdd(path_in_repo=name, path_or_fileobj=contents.files[name])
            for name in names
        ]
        operations += [hub.CommitOperationDelete(path_in_repo=name) for name in gone]
        with self._explained(lambda: self._state_after(on)):
            made = self._client.create_commit(
                self.name,
                operations,
                commit_message=message,
                repo_type=self._repo_type,
                parent_commit=on,
            )
        return str(made.oid)

    def _state_after(self, on: str) -> str:
        """A connection may be cut after a commit as well as before it, so it is looked at."""
        if self.look().revision == on:
            return (
                f"{_UNCHANGED}. Run the same command again: files that arrived are not sent a "
                "second time"
            )
        return (
            "whether the commit was made is not known. Run the same command again: it compares "
            "before it sends anything"
        )

    @contextmanager
    def _explained(self, state: Callable[[], str]) -> Iterator[None]:
        """Whatever the client raises as one of potstill's errors, without the token.

        Args:
            state: says what the repository is now, once something went wrong.
        """
        try:
            yield
        except PotstillError:
            raise
        except Exception as error:
            told = f"the hub did not do it for {self.name}: {self._told(error)}"
            status = _status(error)
            if status in (401, 403):
                advice = "Check that the token is valid and may write there"
                raise RequestError(f"{told}. {advice}; {state()}.") from None
            if status in (409, 412):
                advice = "The repository was changed meanwhile; look at it and run again"
                raise StepFailed(f"{told}. {advice}; {state()}.") from None
            raise StepFailed(f"{told}; {state()}.") from None

    def _told(self, error: BaseException) -> str:
        """The first line of each cause."""
        causes: list[str] = []
        current: BaseException | None = error
        while current is not None and len(causes) < 3:
            lines = str(current).strip().splitlines()
            causes.append(f"{type(current).__name__}: {lines[0] if lines else ''}")
            current = current.__cause__
        told = ", because of ".join(causes)
        return told.replace(self._token, "***") if self._token else told


def _remote_file(entry: Any) -> RemoteFile:
    sha256 = None if entry.lfs is None else str(entry.lfs.sha256)
    return RemoteFile(int(entry.size), sha256, str(entry.blob_id))


def _status(error: BaseException) -> int | None:
    current: BaseException | None = error
    while current is not None:
        response = getattr(current, "response", None)
        if response is not None:
            return int(response.status_code)
        current = current.__cause__
    return None


def _library() -> Any:
    try:
        import huggingface_hub
    except ImportError as error:
        raise RequestError(
            "publishing needs huggingface-hub; install it with: pip install 'potstill[hub]'"
        ) from error
    return huggingface_hub
