"""A stand-in of the hub's HTTP API on 127.0.0.1, for the real huggingface_hub client.

Repositories live in memory, each commit a snapshot of all files; large files are kept by sha256 as
the hub keeps them. What a test wants to go wrong is a `Fault`: which request, how often, and a
status code, `cut` (the connection ends), `cut after` (the same, once it is done) or `corrupt`
(other bytes are kept than were sent).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import unquote, urlsplit

TOKEN = "hf_" + "standinstandinstandinstandin1234567"
LARGE = (".parquet", ".safetensors", ".csv", ".jsonl")


@dataclass
class Repo:
    private: bool
    commits: list[tuple[str, str, dict[str, bytes]]] = field(default_factory=list)
    """Revision, message and files, the oldest first."""

    def add(self, message: str, files: dict[str, bytes]) -> str:
        text = json.dumps([len(self.commits), message, sorted(files)])
        revision = hashlib.sha1(text.encode()).hexdigest()
        self.commits.append((revision, message, files))
        return revision

    def at(self, revision: str) -> tuple[str, dict[str, bytes]] | None:
        if revision == "main":
            return self.commits[-1][0], self.commits[-1][2]
        return next(((name, files) for name, _, files in self.commits if name == revision), None)


@dataclass
class Fault:
    """What goes wrong with requests like `PUT /lfs/`."""

    request: str
    what: int | str
    times: int = 1_000


@dataclass
class StandIn:
    """The server's state, which tests read and set."""

    url: str = ""
    repos: dict[str, Repo] = field(default_factory=dict)
    """By `datasets/owner/name` or `models/owner/name`."""
    large: dict[str, bytes] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def fault(self, request: str) -> int | str | None:
        with self.lock:
            self.requests.append(request)
            for fault in self.faults:
                if fault.times and re.search(fault.request, request):
                    fault.times -= 1
                    return fault.what
        return None

    def writes(self) -> list[str]:
        """Requests that change something."""
        return [each for each in self.requests if re.search("commit/|repos/create|^PUT", each)]


@contextmanager
def hub_stand_in() -> Iterator[StandIn]:
    state = StandIn()
    handler = type("Handler", (_Handler,), {"state": state})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    state: StandIn
    protocol_version = "HTTP/1.1"
    cut_after = False

    def log_message(self, *_: Any) -> None:
        """Silent."""

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.state.fault(f"{self.command} {path}")
        if fault == "cut":
            self.close_connection = True
            self.connection.close()
            return
        if isinstance(fault, int):
            self._send(fault, {"error": "as the test wishes"})
            return
        if path.startswith("/lfs/"):
            self._keep(path.rpartition("/")[2], body, fault == "corrupt")
            return
        self.cut_after = fault == "cut after"
        for pattern, method in _ROUTES:
            match = re.fullmatch(pattern, path)
            if match:
                getattr(self, method)(*match.groups(), body)
                return
        self._send(404, {"error": f"no such thing: {path}"})

    def _whoami(self, _: bytes) -> None:
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._send(401, {"error": "Invalid credentials"})
            return
        self._send(200, {"type": "user", "name": "ann", "orgs": [{"name": "lab"}]})

    def _create(self, body: bytes) -> None:
        asked = json.loads(body)
        name = f"{asked.get('type', 'model')}s/{asked['organization']}/{asked['name']}"
        if name in self.state.repos:
            self._send(409, {"error": "You already created this repo", "url": name})
            return
        repo = self.state.repos[name] = Repo(asked.get("visibility") == "private")
        repo.add("initial commit", {".gitattributes": b"*.parquet filter=lfs\n"})
        self._send(200, {"url": f"{self.state.url}/{name}", "name": name})

    def _info(self, name: str, revision: str | None, _: bytes) -> None:
        found = self._at(name, revision or "main")
        if found is None:
            return
        sha, files = found
        told = [{"rfilename": each, "size": len(files[each])} for each in sorted(files)]
        facts = {"id": name.partition("/")[2], "sha": sha, "siblings": told, "tags": []}
        self._send(200, {**facts, "private": self.state.repos[name].private})

    def _tree(self, name: str, revision: str, folder: str | None, _: bytes) -> None:
        found = self._at(name, revision)
        if found is None:
            return
        prefix = f"{(folder or '').strip('/')}/".lstrip("/")
        entries = {
            name: _entry(name, data) for name, data in found[1].items() if name.startswith(prefix)
        }
        if "recursive=true" not in self.path.lower():
            folders = {prefix + name[len(prefix) :].partition("/")[0] for name in entries}
            told = [entries.get(each) or _folder(each) for each in sorted(folders)]
        else:
            told = [entry for _, entry in sorted(entries.items())]
        self._send(200, told)

    def _paths(self, name: str, revision: str, body: bytes) -> None:
        found = self._at(name, revision)
        if found is None:
            return
        asked = json.loads(body)["paths"]
        self._send(200, [_entry(each, found[1][each]) for each in asked if each in found[1]])

    def _validate(self, _: bytes) -> None:
        self._send(200, {"errors": [], "warnings": []})

    def _preupload(self, name: str, revision: str, body: bytes) -> None:
        told = [
            {
                "path": file["path"],
                "uploadMode": "lfs" if file["path"].endswith(LARGE) else "regular",
                "shouldIgnore": False,
            }
            for file in json.loads(body)["files"]
        ]
        self._send(200, {"files": told})

    def _batch(self, _: str, body: bytes) -> None:
        objects = []
        for each in json.loads(body)["objects"]:
            missing = each["oid"] not in self.state.large
            href = {"href": f"{self.state.url}/lfs/{each['oid']}"}
            objects.append({**each, **({"actions": {"upload": href}} if missing else {})})
        self._send(200, {"transfer": "basic", "objects": objects})

    def _keep(self, oid: str, body: bytes, corrupt: bool) -> None:
        if hashlib.sha256(body).hexdigest() != oid:
            self._send(400, {"error": "sha256 does not match"})
            return
        self.state.large[oid] = b"other" if corrupt else body
        self._send(200, {})

    def _commit(self, name: str, _: str, body: bytes) -> None:
        repo = self.state.repos[name]
        lines = [json.loads(line) for line in body.splitlines() if line.strip()]
        head = next(line["value"] for line in lines if line["key"] == "header")
        if head.get("parentCommit") not in (None, repo.commits[-1][0]):
            self._send(412, {"error": "A commit has happened since. Please refresh"})
            return
        files = dict(repo.commits[-1][2])
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.state.large[value["oid"]]
            elif line["key"] == "deletedFile":
                del files[value["path"]]
        revision = repo.add(head["summary"], files)
        url = f"{self.state.url}/{name}/commit/{revision}"
        self._send(200, {"success": True, "commitOid": revision, "commitUrl": url})

    def _resolve(self, kind: str | None, name: str, revision: str, file: str, _: bytes) -> None:
        found = self._at(f"{kind or 'models/'}{name}", revision)
        if found is None:
            return
        if file not in found[1]:
            self._send(404, {"error": "Entry not found"}, {"X-Error-Code": "EntryNotFound"})
            return
        data = found[1][file]
        etag = f'"{hashlib.sha256(data).hexdigest()}"'
        self._send(200, data, {"ETag": etag, "X-Repo-Commit": found[0]})

    def _at(self, name: str, revision: str) -> tuple[str, dict[str, bytes]] | None:
        repo = self.state.repos.get(name)
        if repo is None:
            self._send(404, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"})
            return None
        found = repo.at(revision)
        if found is None:
            self._send(404, {"error": "no revision"}, {"X-Error-Code": "RevisionNotFound"})
        return found

    def _send(self, status: int, value: Any, headers: dict[str, str] | None = None) -> None:
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        if self.cut_after:
            self.close_connection = True
            self.connection.close()
            return
        self.send_response(status)
        for name, text in (headers or {}).items():
            self.send_header(name, text)
        kind = "application/octet-stream" if isinstance(value, bytes) else "application/json"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


_NAME = r"((?:datasets|models)/[\w.-]+/[\w.-]+)"
_ROUTES = (
    (r"/api/whoami-v2", "_whoami"),
    (r"/api/repos/create", "_create"),
    (r"/api/validate-yaml", "_validate"),
    (rf"/api/{_NAME}(?:/revision/(.+))?", "_info"),
    (rf"/api/{_NAME}/tree/([^/]+)(/.*)?", "_tree"),
    (rf"/api/{_NAME}/paths-info/([^/]+)", "_paths"),
    (rf"/api/{_NAME}/preupload/([^/]+)", "_preupload"),
    (rf"/api/{_NAME}/commit/([^/]+)", "_commit"),
    (r"/(.+)\.git/info/lfs/objects/batch", "_batch"),
    (r"/(datasets/)?([\w.-]+/[\w.-]+)/resolve/([^/]+)/(.+)", "_resolve"),
)


def _entry(name: str, data: bytes) -> dict[str, Any]:
    blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
    entry = {"type": "file", "path": name, "size": len(data), "oid": blob}
    if name.endswith(LARGE):
        sha = hashlib.sha256(data).hexdigest()
        entry["lfs"] = {"oid": sha, "size": len(data), "pointerSize": 130}
    return entry


def _folder(name: str) -> dict[str, Any]:
    return {"type": "directory", "path": name, "oid": hashlib.sha1(name.encode()).hexdigest()}
