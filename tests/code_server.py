"""A local stand-in for a judging server with SandboxFusion's API, well-behaved or not, on purpose.

It really runs what it is sent, as plain processes without isolation: for harmless programs of
tests only. Request and response have the fields of SandboxFusion's `sandbox/server/sandbox_api.py`.
`faults` are met by the next requests, one each; then it answers.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

CUT: Final = 1 << 20
"""Bytes of a stream that SandboxFusion keeps."""
_LANGUAGES: Final[dict[str, tuple[str, list[str] | None, list[str]]]] = {
    "python": ("main.py", None, [sys.executable, "main.py"]),
    "cpp": ("main.cpp", ["g++", "main.cpp", "-o", "main"], ["./main"]),
    "nodejs": ("main.js", None, ["node", "main.js"]),
    "bash": ("main.sh", None, ["/bin/bash", "main.sh"]),
}


@dataclass
class CodeServer:
    faults: list[str] = field(default_factory=list)
    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: set[str | None] = field(default_factory=set)
    arrivals: list[float] = field(default_factory=list)

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """What SandboxFusion would say."""
        name, compiler, command = _LANGUAGES[request["language"]]
        compiled = ran = None
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, name).write_text(request["code"], encoding="utf-8")
            if compiler is not None:
                compiled = _run(compiler, folder, "", request["compile_timeout"])
            if compiled is None or compiled["return_code"] == 0:
                ran = _run(command, folder, request["stdin"] or "", request["run_timeout"])
        results = [each for each in (compiled, ran) if each is not None]
        good = all(each["return_code"] == 0 for each in results)
        return {
            "status": "Success" if good else "Failed",
            "message": "",
            "compile_result": compiled,
            "run_result": ran,
            "executor_pod_name": None,
            "files": {},
        }


def _run(command: list[str], folder: str, stdin: str, seconds: float) -> dict[str, Any]:
    started = time.monotonic()
    try:
        done = subprocess.run(
            command, input=stdin.encode(), capture_output=True, cwd=folder, timeout=seconds
        )
        status, code, out, err = "Finished", done.returncode, done.stdout, done.stderr
    except subprocess.TimeoutExpired as late:
        status, code, out, err = "TimeLimitExceeded", None, late.stdout or b"", late.stderr or b""
    return {
        "status": status,
        "execution_time": time.monotonic() - started,
        "return_code": code,
        "stdout": _decoded(out[:CUT]),
        "stderr": _decoded(err[:CUT]),
    }


def _decoded(output: bytes) -> str:
    try:
        return output.decode()
    except UnicodeDecodeError as error:
        return f"[DecodeError] {error}"


class _Handler(BaseHTTPRequestHandler):
    code_server: CodeServer

    def do_POST(self) -> None:
        server = self.code_server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = json.loads(body)
        server.arrivals.append(time.monotonic())
        server.requests.append(request)
        server.keys.add(self.headers["Authorization"])
        fault = server.faults.pop(0) if server.faults else ""
        if self.path != "/run_code":
            self._send(404, b"no such path")
        elif fault:
            self._misbehave(fault)
        else:
            self._send(200, json.dumps(server.answer(request)).encode())

    def do_GET(self) -> None:  # where a redirect would lead
        self._send(200, b'{"status": "Success", "message": "followed"}')

    def _misbehave(self, fault: str) -> None:
        if fault.isdigit():
            self._send(int(fault), f"not now, {self.headers['Authorization']}".encode())
        elif fault == "redirect":
            self._send(302, b"", {"Location": "/elsewhere"})
        elif fault == "wait":
            self._send(429, b"slowly", {"Retry-After": "0.4"})
        elif fault == "reset":
            self.connection.close()
        elif fault == "truncated":
            self._send(200, b'{"status": "Succ', {"Content-Length": "5000"})
        elif fault == "drip":
            self._drip()
        elif fault == "gigantic":
            self._flood()
        else:
            self._send(200, fault.encode())

    def _drip(self) -> None:
        """A byte now and then: no timeout between bytes ever trips."""
        self.send_response(200)
        self.end_headers()
        for _ in range(200):
            self.wfile.write(b" ")
            self.wfile.flush()
            time.sleep(0.05)

    def _flood(self) -> None:
        self.send_response(200)
        self.end_headers()
        for _ in range(64):
            self.wfile.write(b" " * (1 << 20))

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: tests look at `requests`."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up early are what some tests are about."""


@contextmanager
def code_server(*faults: str) -> Iterator[CodeServer]:
    """A server on the loopback while the block runs."""
    server = CodeServer(list(faults))
    handler = type("Handler", (_Handler,), {"code_server": server})
    with _Server(("127.0.0.1", 0), handler) as listening:
        server.url = f"http://127.0.0.1:{listening.server_address[1]}"
        thread = threading.Thread(target=listening.serve_forever, args=[0.01], daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()
