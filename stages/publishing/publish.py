"""`potstill publish`: an export or a model to a repository on the hub, after a look at all of it.

    contents of the artifact → scan → the repository as it is → one commit of what differs → check

Without `really` nothing is changed anywhere. With it, everything that can go wrong is asked before
the first byte is sent, and what lies on the hub afterwards is compared file by file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from ...pipeline.errors import RequestError, StepFailed
from ...pipeline.suggest import suggest
from .contents import Contents, contents_of
from .hub import Hub
from .remote import Remote, changes
from .scan import Findings, scan
from .secrets import KINDS, LOCAL_PATH

_PART: Final = r"(?!.*(?:--|\.\.))[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,94}[A-Za-z0-9_])?"
_NAME: Final = re.compile(rf"{_PART}/{_PART}(?<!\.git)")
"""As huggingface_hub's validate_repo_id has it."""
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/=-]+")
"""RFC 6750: what may follow `Bearer `. The client quotes a header with other signs in its error."""
_HEAD: Final = 24
"""Lines of the card that are shown."""
SAME: Final = "same"


@dataclass(frozen=True)
class Publication:
    """What would be, or was, published."""

    repo: str
    contents: Contents
    findings: Findings
    allowed: frozenset[str]
    remote: Remote
    changes: Mapping[str, str]
    """By file: new, changed, same or removed."""
    private: bool
    revision: str | None = None
    """The commit that holds it; None: it was not uploaded."""
    uploaded: bool = False
    """Whether this call made that commit."""

    @property
    def stopping(self) -> dict[str, int]:
        """Findings that stand in the way, by kind."""
        return self.findings.stopping(self.allowed)

    @property
    def refused(self) -> bool:
        return bool(self.stopping)

    @property
    def load_line(self) -> str | None:
        """How a recipe names exactly this; None while there is no revision."""
        if self.revision is None:
            return None
        name = f'"hub:{self.repo}@{self.revision}"'
        return f"load: {{source: {name}}}" if self._is_dataset else f"model: {name}"

    @property
    def _is_dataset(self) -> bool:
        return self.contents.repo_type == "dataset"

    def facts(self) -> dict[str, Any]:
        """As JSON values."""
        contents, artifact = self.contents, self.contents.artifact
        return {
            "path": str(artifact.path),
            "step": artifact.step,
            "address": artifact.address,
            "digest": contents.digest,
            "repository": self.repo,
            "type": contents.repo_type,
            "exists": self.remote.exists,
            "why_unknown": self.remote.why_unknown,
            "private": self.private,
            "files": [
                {
                    "name": name,
                    "bytes": contents.size(name) if name in contents.files else None,
                    "change": change,
                }
                for name, change in self.changes.items()
            ],
            "card_head": contents.card.split("\n")[:_HEAD],
            "findings": self.findings.facts(),
            "stopped_by": self.stopping,
            "refused": self.refused,
            "uploaded": self.uploaded,
            "revision": self.revision,
            "load": self.load_line,
        }


def publish(
    path: Path,
    repo: str,
    *,
    allow: frozenset[str] = frozenset(),
    private: bool = False,
    token_env: str = "HF_TOKEN",
    really: bool = False,
) -> Publication:
    """Show what publishing a finished step would do, or do it.

    Args:
        path: the step's folder.
        repo: owner/name.
        allow: kinds of findings that do not stop it.
        private: make a new repository private.
        token_env: environment variable with the hub's token.
        really: upload, unless something was found.

    Raises:
        RequestError: the step cannot be published, the name or token is wrong.
        StepFailed: the hub did not do it; what was there before is still there.
    """
    _check_request(repo, allow)
    token = _token(token_env)
    contents = contents_of(path)
    findings = scan(contents.files)
    hub = Hub(repo, contents.repo_type, token)
    remote = hub.look()
    _check_private(repo, private, remote)
    told = changes(contents, remote)
    hidden = private if remote.private is None else remote.private
    found = Publication(repo, contents, findings, allow, remote, told, hidden)
    if not really or found.refused:
        return found
    if not token:
        raise RequestError(
            f"the environment variable {token_env} is not set; it must hold a token of the hub "
            "that may write. --token-env names another variable"
        )
    return _upload(hub, found, private)


def _upload(hub: Hub, wanted: Publication, private: bool) -> Publication:
    hub.check_writable()
    remote = wanted.remote
    if remote.exists is None:
        raise StepFailed(
            f"{hub.name} could not be looked at: {remote.why_unknown}. Nothing changed"
        )
    if not remote.exists:
        remote = hub.create(private)
        _check_private(hub.name, private, remote)  # somebody may have made it meanwhile
        wanted = replace(wanted, remote=remote, changes=changes(wanted.contents, remote))
    if remote.revision is None:
        raise StepFailed(
            f"{hub.name} was made, empty, and could not be looked at: {remote.why_unknown}. Run "
            "the same command again"
        )
    if set(wanted.changes.values()) == {SAME}:
        return replace(wanted, revision=remote.revision)
    revision = _commit(hub, wanted, remote.revision)
    _check_arrival(hub, wanted.contents, revision)
    return replace(wanted, revision=revision, uploaded=True)


def _commit(hub: Hub, wanted: Publication, on: str) -> str:
    artifact, digest = wanted.contents.artifact, wanted.contents.digest
    message = f"potstill: {artifact.step}-{artifact.address}, content sha256 {digest}"
    gone = [name for name, change in wanted.changes.items() if change == "removed"]
    names = [name for name, change in wanted.changes.items() if change in ("new", "changed")]
    return hub.commit(wanted.contents, names, gone, message, on)


def _check_arrival(hub: Hub, contents: Contents, revision: str) -> None:
    """Compare what the hub now holds with what was sent.

    Raises:
        StepFailed: names what differs.
    """
    remote = hub.look(revision)
    if remote.exists is None:
        raise StepFailed(
            f"{hub.name}@{revision} was uploaded and could not be read back: {remote.why_unknown}. "
            "Run the same command again to compare it"
        )
    wrong = [name for name, change in changes(contents, remote).items() if change != SAME]
    if wrong:
        raise StepFailed(
            f"{hub.name}@{revision} does not hold what was sent: {', '.join(wrong[:5])}. Run the "
            "same command again to send it once more; do not use that revision"
        )


def _check_private(repo: str, private: bool, remote: Remote) -> None:
    if private and remote.exists and not remote.private:
        raise RequestError(f"{repo} is public already; --private is for repositories yet to make")


def _token(variable: str) -> str | None:
    """What the variable holds; None where it is not set or empty."""
    token = os.environ.get(variable)
    if token and not _TOKEN.fullmatch(token):
        raise RequestError(
            f"the environment variable {variable} holds signs that no token has, such as a space, "
            "a quote or the end of a line; set it to the token alone"
        )
    return token or None


def _check_request(repo: str, allow: frozenset[str]) -> None:
    if not _NAME.fullmatch(repo):
        raise RequestError(f"{repo!r} is no repository; expected OWNER/NAME, as on the hub")
    known = sorted(kind.name for kind in (*KINDS, LOCAL_PATH) if not kind.only_note)
    for kind in sorted(allow):
        if kind not in known:
            raise RequestError(f"--allow {kind}: no kind of finding; {suggest(kind, known)}")
