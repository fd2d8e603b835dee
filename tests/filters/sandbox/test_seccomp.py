"""What programs may ask of the kernel: tried on the kernel, with the filters really installed.

There is no bubblewrap around these: what is refused here is refused by the filter alone.
"""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from under_filters import BOTH, HERE, needs_filters, run, said

from potstill.filters.sandbox.seccomp import (
    NATIVE,
    PROGRAM,
    ZYGOTE,
    native_filter,
    program_filter,
    zygote_filter,
)
from potstill.filters.sandbox.syscalls import MACHINES

pytestmark = needs_filters
ON_THIS_KERNEL = MACHINES.get(HERE, MACHINES["x86_64"])

FILTERS = {
    "zygote": ((zygote_filter,), ZYGOTE),
    "program": ((program_filter,), PROGRAM),
    "both": (BOTH, PROGRAM),
    "native": ((native_filter,), NATIVE),
}


@pytest.mark.parametrize("name", FILTERS)
def test_what_is_not_listed_is_refused(name: str, tmp_path: Path) -> None:
    """Arguments are all -1, which no call that is let through does anything with."""
    filters, policy = FILTERS[name]
    refused = {
        each: number for each, number in ON_THIS_KERNEL.numbers.items() if each not in policy
    }
    assert len(refused) > 100
    code = f"print(json.dumps({{n: call(k, *[-1] * 6) for n, k in {refused!r}.items()}}))"
    told = json.loads(said(code, filters, tmp_path))
    assert told == dict.fromkeys(refused, 1)


@pytest.mark.parametrize(("number", "error"), [(460, 38), (1000, 38), (0x3FFFFFFF, 38)])
def test_calls_of_the_future_do_not_exist(number: int, error: int, tmp_path: Path) -> None:
    assert said(f"print(call({number}, 0, 0))", BOTH, tmp_path) == str(error)


def test_clone3_does_not_exist(tmp_path: Path) -> None:
    assert said("print(call(435, 0, 0))", BOTH, tmp_path) == "38"


@pytest.mark.skipif(HERE != "x86_64", reason="the x32 rules are of x86_64")
@pytest.mark.parametrize("number", [0x40000000, 0x40000000 + 39, 0x40000000 + 520, -1, 2**31])
def test_x32_numbers_are_deadly(number: int, tmp_path: Path) -> None:
    assert run(f"call({number})", BOTH, tmp_path).returncode == -signal.SIGSYS


@pytest.mark.skipif(HERE != "x86_64", reason="machine code of x86_64")
def test_the_gate_for_32_bit_calls_is_deadly(tmp_path: Path) -> None:
    """`mov eax, 20; int 0x80; ret`: getpid by the numbers of i386, where 20 is writev for us."""
    code = """
import mmap
memory = mmap.mmap(-1, 4096, prot=7)
memory.write(bytes.fromhex("b814000000cd80c3"))
ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(memory)))()
"""
    assert run(code, BOTH, tmp_path).returncode in (-signal.SIGSYS, -signal.SIGSEGV)


WORKS = {
    "texts and numbers": "import json, re, decimal, hashlib, random, datetime; "
    "print(json.loads('[1]'), re.sub('a', 'b', 'a'), decimal.Decimal('.1') * 3, "
    "hashlib.sha256(b'').hexdigest()[:4], len(os.urandom(3)), "
    "datetime.date(2024, 2, 29).isoformat()) # [1] b 0.3 e3b0 3 2024-02-29",
    "threads": "import threading; seen = []; "
    "some = [threading.Thread(target=seen.append, args=(n,)) for n in range(4)]; "
    "[each.start() for each in some]; [each.join() for each in some]; "
    "print(sorted(seen)) # [0, 1, 2, 3]",
    "a pool of threads": "from concurrent.futures import ThreadPoolExecutor\n"
    "with ThreadPoolExecutor(4) as pool: print(list(pool.map(abs, range(-3, 0)))) # [3, 2, 1]",
    "waiting": "import threading, queue, time; event = threading.Event(); "
    "threading.Timer(.01, event.set).start(); time.sleep(.01); print(event.wait(9)) # True",
    "asyncio": "import asyncio\n"
    "async def main():\n"
    "    await asyncio.sleep(.01)\n"
    "    here = await asyncio.gather(*(asyncio.sleep(0, n) for n in range(3)))\n"
    "    return here, await asyncio.to_thread(abs, -5)\n"
    "print(asyncio.run(main())) # ([0, 1, 2], 5)",
    "sqlite in memory": "import sqlite3; base = sqlite3.connect(':memory:'); "
    "base.execute('create table t(a)'); base.execute('insert into t values (7)'); "
    "print(base.execute('select * from t').fetchall()) # [(7,)]",
    "sqlite in a file": "import sqlite3; base = sqlite3.connect('t.db'); "
    "base.execute('pragma journal_mode=wal'); base.execute('create table t(a)'); "
    "base.execute('insert into t values (7)'); base.commit(); "
    "print(base.execute('select * from t').fetchall()) # [(7,)]",
    "files": "import tempfile, shutil\n"
    "with tempfile.TemporaryDirectory() as folder:\n"
    "    path = os.path.join(folder, 'a'); print('x' * 9, file=open(path, 'w'), end='')\n"
    "    shutil.copy(path, path + 'b'); shutil.copy2(path, path + 'c')\n"
    "    shutil.copytree(folder, folder + '/d'); os.rename(path, path + 'e')\n"
    "    os.symlink(path + 'b', path + 'f'); shutil.rmtree(folder + '/d')\n"
    "    with open(path + 'b', 'r+b') as file: os.fsync(file); file.truncate(3)\n"
    "    print(sorted(os.listdir(folder)), os.stat(path + 'f').st_size)"
    " # ['ab', 'ac', 'ae', 'af'] 3",
    "mapped files": "import mmap\n"
    "with open('m', 'w+b') as file:\n"
    "    file.truncate(8192); memory = mmap.mmap(file.fileno(), 0); memory[:2] = b'ab'\n"
    "    memory.flush(); print(file.read(2)) # b'ab'",
    "time": "import time; a = time.monotonic(); time.sleep(.01); "
    "print(time.monotonic() > a, time.process_time() > 0, time.time() > 1e9) # True True True",
    "an alarm": "import signal; seen = []; "
    "signal.signal(signal.SIGALRM, lambda *_: seen.append(1)); "
    "signal.setitimer(signal.ITIMER_REAL, .01); signal.pause(); print(seen) # [1]",
    "pipes": "import select; r, w = os.pipe(); os.write(w, b'a'); "
    "print(select.select([r], [], [], 0)[0] == [r], os.read(r, 1)) # True b'a'",
    "limits": "import resource; _, hard = resource.getrlimit(resource.RLIMIT_STACK); "
    "resource.setrlimit(resource.RLIMIT_STACK, (1 << 20, 1 << 20)); "
    "print(resource.getrlimit(resource.RLIMIT_STACK)) # (1048576, 1048576)",
    "a terminal": "import shutil; print(os.isatty(0), shutil.get_terminal_size().columns) "
    "# False 80",
    "the processors": "print(len(os.sched_getaffinity(0)) > 0, os.cpu_count() > 0) # True True",
    "numpy": "import numpy as n; a = n.random.default_rng(0).random((300, 300)); "
    "print((a @ n.linalg.inv(a)).round(6).trace(), n.fft.fft(a[0]).shape) # 300.0 (300,)",
}


@pytest.mark.parametrize("name", WORKS)
def test_what_honest_programs_do(name: str, tmp_path: Path) -> None:
    if name == "numpy":
        pytest.importorskip("numpy")
    code, _, expected = WORKS[name].rpartition(" # ")
    assert said(code, BOTH, tmp_path) == expected


REFUSED = {
    "fork": "os.fork()",
    "a process": "import subprocess; subprocess.run([sys.executable, '-c', ''])",
    "a process by multiprocessing": "import multiprocessing as m; "
    "m.get_context('fork').Process(target=print).start()",
    "another program": "os.execv(sys.executable, ['python'])",
    "spawn": "os.posix_spawn(sys.executable, ['python'], {})",
    "a signal": "os.kill(os.getppid(), 0)",
    "a signal to itself": "os.kill(os.getpid(), 0)",
    "a signal to a group": "os.killpg(0, 0)",
    "TCP": "import socket; socket.socket()",
    "UDP": "import socket; socket.socket(type=socket.SOCK_DGRAM)",
    "a Unix socket": "import socket; socket.socket(socket.AF_UNIX)",
    "netlink": "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "datagrams in a pair": "import socket; socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)",
    "descriptors in a pair": "import socket; a, b = socket.socketpair(); "
    "socket.send_fds(a, [b'x'], [0])",
    "reading descriptors": "import socket; a, b = socket.socketpair(); socket.recv_fds(a, 1, 1)",
    "out-of-band data": "import socket; a, b = socket.socketpair(); a.send(b'x', socket.MSG_OOB)",
    "reading out-of-band data": "import socket; a, b = socket.socketpair(); "
    "b.recv(1, socket.MSG_OOB)",
    "naming a socket": "import socket; a, b = socket.socketpair(); a.bind('name')",
    "memory without limit": "os.memfd_create('x')",
    "limits of others": "import resource; resource.prlimit(os.getppid(), resource.RLIMIT_CPU)",
    "signals by descriptor": "import fcntl; fcntl.fcntl(0, fcntl.F_SETOWN, os.getppid())",
    "which signal": "import fcntl; fcntl.fcntl(0, fcntl.F_SETSIG, 9)",
    "a lease": "import fcntl; fcntl.fcntl(open('f', 'w'), fcntl.F_SETLEASE, fcntl.F_WRLCK)",
    "notification": "import fcntl; "
    "fcntl.fcntl(os.open('.', os.O_RDONLY), fcntl.F_NOTIFY, fcntl.DN_CREATE)",
    "the size of a pipe": "import fcntl; fcntl.fcntl(os.pipe()[0], 1031, 1 << 20)",
    "a named pipe": "os.mkfifo('pipe')",
    "priority": "os.setpriority(os.PRIO_PROCESS, 0, 5)",
    "its processors": "os.sched_setaffinity(0, {0})",
    "another user": "os.setuid(os.getuid())",
    "another owner": "open('f', 'w'); os.chown('f', os.getuid(), os.getgid())",
    "another root": "os.chroot('.')",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_programs_may_not_do(name: str, tmp_path: Path) -> None:
    *before, last = REFUSED[name].split("; ")
    code = "; ".join([*before, "pass"]) + f"\ntry: {last}\nexcept OSError as e: print(e.errno)"
    assert said(code, BOTH, tmp_path) == "1"


def test_a_shell_is_not_found(tmp_path: Path) -> None:
    assert said("print(os.waitstatus_to_exitcode(os.system('true')))", BOTH, tmp_path) == "127"


def test_typing_into_a_terminal(tmp_path: Path) -> None:
    """TIOCSTI and all other commands for devices: as where there is no terminal."""
    codes = [0x5412, 0x5401, 0x540E, 0x5410, 0x541C, 0x8901, 0x8902, 0x5452]
    numbers = f"print([call({ON_THIS_KERNEL.numbers['ioctl']}, 0, c, 0) for c in {codes}])"
    assert said(numbers, BOTH, tmp_path) == str([25] * len(codes))


@pytest.mark.parametrize("name", ["fsync", "fdatasync", "syncfs", "flock"])
def test_what_would_reach_the_host_claims_to_be_done(name: str, tmp_path: Path) -> None:
    """It gives no error where the kernel would: descriptor 99 is not open."""
    code = f"print(call({ON_THIS_KERNEL.numbers[name]}, 99, 2))"
    assert said(code, (), tmp_path) == "9"
    assert said(code, BOTH, tmp_path) == "None"
