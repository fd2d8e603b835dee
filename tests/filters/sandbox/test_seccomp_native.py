"""Compilers and other runtimes under the filter made for them, where they are installed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from under_filters import needs_filters, said

from potstill.filters.sandbox.seccomp import native_filter

pytestmark = needs_filters

CPP = r"""
#include <csignal>
#include <cstdio>
#include <future>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
int main() {
    int answer = std::async(std::launch::async, [] { return 7; }).get(), status = 0;
    pid_t child = fork();
    if (child == 0) raise(SIGKILL);
    waitpid(child, &status, 0);
    bool reached = socket(AF_INET, SOCK_STREAM, 0) >= 0 || socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
    printf("%d %d %d\n", answer, WTERMSIG(status), reached);
}
"""
JAVASCRIPT = r"""
const { Worker } = require("worker_threads");
const child = require("child_process").execFileSync(process.execPath, ["-p", "6 * 7"]);
require("fs").copyFileSync("program.js", "copy.js");
require("net").connect(9, "127.0.0.1").on("error", (e) => {
  const worker = new Worker("require('worker_threads').parentPort.postMessage(1)", { eval: true });
  worker.on("message", (m) => console.log(child.toString().trim(), e.code, m));
});
"""
JAVA = r"""
public class Main {
    public static void main(String[] words) throws Exception {
        String reached = "nothing";
        try { new java.net.Socket("127.0.0.1", 9); reached = "a socket"; }
        catch (java.net.SocketException e) { }
        int sum = java.util.stream.IntStream.range(0, 1000).parallel().sum();
        System.out.println(sum + " " + reached);
    }
}
"""
RUST = r"""
fn main() {
    let sum = std::thread::spawn(|| (0..1000).sum::<i32>()).join().unwrap();
    println!("{} {}", sum, std::net::TcpStream::connect("127.0.0.1:9").unwrap_err());
}
"""
RUNTIMES = {
    "g++": ("program.cpp", CPP, "g++ -O1 -pthread -o p program.cpp && ./p", "7 9 0"),
    "node": ("program.js", JAVASCRIPT, "node program.js", "42 EPERM 1"),
    "java": ("Main.java", JAVA, "java -Xmx128m Main.java", "499500 nothing"),
    "rustc": (
        "program.rs",
        RUST,
        "rustc -o p program.rs && ./p",
        "499500 Operation not permitted (os error 1)",
    ),
    "bash": ("program.sh", "(echo b; echo a) | sort | tr '\\n' ' '", "bash program.sh", "a b"),
}


@pytest.mark.slow
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_runtime_works_and_reaches_nothing(runtime: str, tmp_path: Path) -> None:
    if shutil.which(runtime) is None:
        pytest.skip(f"{runtime} is not installed")
    name, program, command, printed = RUNTIMES[runtime]
    (tmp_path / name).write_text(program)
    code = f"os.execv('/bin/sh', ['sh', '-c', {command!r}])"
    assert said(code, (native_filter,), tmp_path) == printed


def test_processes_may_be_made_and_signalled(tmp_path: Path) -> None:
    code = """
import signal, subprocess
sleeper = subprocess.Popen(["sleep", "60"])
os.kill(sleeper.pid, signal.SIGTERM)
print(sleeper.wait(), subprocess.run(["echo", "a"], capture_output=True).stdout)
"""
    assert said(code, (native_filter,), tmp_path) == "-15 b'a\\n'"


@pytest.mark.parametrize(
    "attempt",
    ["unshare(0x10000000)", "ptrace(0, 0, 0, 0)", "mount(b'a', b'b', b'tmpfs', 0, 0)", "shmget(0)"],
)
def test_namespaces_tracing_and_mounts_are_refused(attempt: str, tmp_path: Path) -> None:
    code = f"print(libc.{attempt}, ctypes.get_errno())"
    assert said(code, (native_filter,), tmp_path) == "-1 1"
