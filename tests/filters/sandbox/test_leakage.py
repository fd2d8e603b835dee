"""Nothing of one program reaches the next in a warm sandbox: one leaves marks, another looks.

The looking program tells the whole state that it finds. It must tell the same before any other
program ran in its isolation and after each that left marks; where marks survive the process that
made them (files), the isolation is a new one. Inputs of the program before are searched for in all
memory that the next one has, which is a copy of what the forking process has.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from attack_programs import programs

from potstill.filters.sandbox.execution import Call, Calls, Execution, Limits, Report, Script, Task
from potstill.filters.sandbox.settings import Settings
from potstill.filters.sandbox.warm import WarmSandbox

LOOKS = """
import atexit, builtins, codecs, decimal, fcntl, gc, json, locale, math, os, random, resource
import signal, socket, string, struct, sys, tempfile, threading, time, warnings

def descriptors():
    for number in range(1024):
        try:
            os.fstat(number)
        except OSError:
            continue
        yield number

def lock(path):
    with open(path, "rb") as file:
        asked = struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0)
        return struct.unpack("hhqqi4x", fcntl.fcntl(file, fcntl.F_GETLK, asked))[0]

def look():
    names = sorted(resource.__dict__)
    place = os.statvfs("/tmp")
    return {
        "builtins": {name: type(value).__name__ for name, value in sorted(vars(builtins).items())},
        "modules": sorted(sys.modules),
        "patched": [json.dumps([1, "a"]), len("abc"), math.pi, string.digits, json.loads("[2]")],
        "program": sorted(vars(sys.modules.get("__main__", sys))),
        "files": os.listdir("/tmp"),
        "tmp": [place.f_bavail, place.f_ffree, os.stat("/tmp").st_mode],
        "cwd": os.getcwd(),
        "environment": dict(os.environ),
        "random": [random.random(), random.getstate()[1][:3]],
        "recursion": sys.getrecursionlimit(),
        "umask": os.umask(0o22),
        "locale": locale.setlocale(locale.LC_ALL),
        "decimal": str(decimal.getcontext()),
        "default_decimal": str(decimal.DefaultContext),
        "warnings": len(warnings.filters),
        "path": sys.path,
        "hooks": [str(sys.gettrace()), str(sys.getprofile()), sys.excepthook.__name__],
        "importers": [len(sys.meta_path), len(sys.path_hooks), len(sys.path_importer_cache)],
        "descriptors": list(descriptors()),
        "signals": {int(n): str(signal.getsignal(n)) for n in signal.valid_signals()},
        "mask": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
        "timer": signal.getitimer(signal.ITIMER_REAL),
        "gc": [gc.isenabled(), gc.get_threshold(), gc.get_debug(), gc.callbacks],
        "digits": sys.get_int_max_str_digits(),
        "threads": [thread.name for thread in threading.enumerate()],
        "stack": threading.stack_size(),
        "switch": sys.getswitchinterval(),
        "at exit": atexit._ncallbacks(),
        "limits": [resource.getrlimit(getattr(resource, n)) for n in names if "RLIMIT_" in n],
        "nice": os.getpriority(os.PRIO_PROCESS, 0),
        "parent": [os.getppid(), os.getsid(0) == os.getpid()],
        "temporary": tempfile.tempdir,
        "timeout": socket.getdefaulttimeout(),
        "codecs": codecs.lookup("utf-8").name,
        "streams": [sys.stdin.closed, sys.stdout.encoding, sys.stdout.closed, sys.stdin.read()],
        "locks": lock(json.__file__),
        "intern": sys.intern("mark" + "-4711") is sys.intern("mark-4711"),
        "argv": sys.argv,
        "zone": [time.tzname, time.timezone],
    }
"""

MARKS = {
    "builtins": "import builtins\nbuiltins.mark = 1\nbuiltins.len = lambda x: 7\n",
    "modules": "import sys, types, csv\nsys.modules['mark'] = types.ModuleType('mark')\n",
    "patches": (
        "import json, math, string\njson.dumps = json.loads = lambda *a, **k: 'no'\nmath.pi = 3\n"
    ),
    "main": "import sys\nfor name in ('__main__', 'program'):\n    sys.modules[name].mark = 1\n",
    "environment": "import os\nos.environ['MARK'] = '1'\nos.putenv('PYTHONPATH', '/tmp')\n",
    "random": "import random\nrandom.seed(99)\nrandom.random()\n",
    "interpreter": (
        "import sys, threading, gc\nsys.setrecursionlimit(77777)\nsys.setswitchinterval(1)\n"
        "sys.set_int_max_str_digits(0)\nsys.path.insert(0, '/tmp')\nsys.settrace(print)\n"
        "threading.stack_size(1 << 20)\ngc.disable()\ngc.set_debug(1)\nsys.excepthook = print\n"
        "sys.argv.append('mark')\nsys.meta_path.clear()\n"
    ),
    "process": (
        "import os, signal, resource\nos.umask(0o777)\nos.chdir('/usr')\nos.nice\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGCHLD])\n"
        "signal.setitimer(signal.ITIMER_REAL, 100)\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))\n"
    ),
    "contexts": (
        "import decimal, locale, warnings, time, os, socket\ndecimal.getcontext().prec = 3\n"
        "decimal.DefaultContext.prec = 4\nwarnings.simplefilter('error')\n"
        "os.environ['TZ'] = 'Asia/Tokyo'\ntime.tzset()\nsocket.setdefaulttimeout(3)\n"
        "try:\n    locale.setlocale(locale.LC_ALL, 'C.UTF-8')\nexcept locale.Error: pass\n"
    ),
    "locks": (
        "import fcntl, json, struct\nfile = open(json.__file__, 'rb')\n"
        "fcntl.lockf(file, fcntl.LOCK_SH)\n"
    ),
    "descriptors": "import os\nkept = [os.open('/dev/null', 0) for _ in range(30)]\nos.close(0)\n",
    "threads": (
        "import threading, time\n"
        "threading.Thread(target=time.sleep, args=(9,), daemon=True).start()\n"
    ),
    "at exit": "import atexit\natexit.register(open, '/tmp/late', 'w')\n",
    "codecs": (
        "import codecs\ncodecs.register(lambda name: None)\n"
        "codecs.register_error('strict', lambda e: ('?', e.end))\n"
    ),
    "a file": "open('/tmp/mark', 'w').write('x' * 5_000_000)\n",
    "many files": (
        "import os\nfor n in range(500):\n"
        "    os.mkdir(f'/tmp/{n}')\n    open(f'/tmp/{n}/x', 'w').close()\n"
    ),
    "closed folder": (
        "import os\nos.makedirs('/tmp/a/b')\nos.chmod('/tmp/a', 0)\nos.chmod('/tmp', 0)\n"
    ),
    "sticky folder": "import os\nos.chmod('/tmp', 0o7777)\nos.symlink('/', '/tmp/root')\n",
    "deep folder": ("import os\nfor n in range(5000):\n    os.mkdir('d')\n    os.chdir('d')\n"),
    "left by force": "import os\nopen('/tmp/mark', 'w').close()\nos._exit(0)\n",
    "died": "import ctypes\nopen('/tmp/mark', 'w').close()\nctypes.string_at(1)\n",
    "timeout": "open('/tmp/mark', 'w').close()\nwhile True: pass\n",
    "memory": "open('/tmp/mark', 'w').close()\nx = bytearray(1 << 40)\n",
}
MESSES = [
    each.name
    for each in programs()
    if each.number == 10 and each.head["check"] == "calls" and "patient" not in each.head
]
LIMITS = Limits(cpu_seconds=1, wall_seconds=3.0, output_kb=256)


@pytest.fixture
def sandbox(bubblewrap: str) -> Iterator[WarmSandbox]:
    with WarmSandbox(Settings()) as made:
        yield made


def run(sandbox: WarmSandbox, code: str, task: Task | None = None) -> Report:
    return sandbox.execute(Execution(code, task or Script("stdin\n"), limits=LIMITS))


def seen(sandbox: WarmSandbox) -> dict[str, Any]:
    """What the looking program sees, by topic."""
    report = run(sandbox, f"{LOOKS}\nprint(json.dumps(look(), default=str))")
    assert report.stdout, report
    found = json.loads(report.stdout)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("name", MARKS)
@pytest.mark.parametrize("how", ["script", "call"])
def test_a_program_leaves_no_mark(sandbox: WarmSandbox, name: str, how: str) -> None:
    before = seen(sandbox)
    task = Script() if how == "script" else Calls("solve", (Call(),))
    code = MARKS[name] if how == "script" else f"{MARKS[name]}\ndef solve(): return 1\n"
    run(sandbox, code, task)
    assert seen(sandbox) == before


@pytest.mark.parametrize("name", ["builtins", "process", "contexts", "threads", "descriptors"])
def test_it_is_the_same_isolation_that_stays_clean(sandbox: WarmSandbox, name: str) -> None:
    """Else the test above would only show that a new isolation is new."""
    seen(sandbox)
    isolation = sandbox._isolation
    run(sandbox, MARKS[name])
    seen(sandbox)
    assert isolation is not None
    assert sandbox._isolation is isolation


def test_the_looking_program_sees_marks() -> None:
    """In one process with the marks, it tells of each: otherwise it would prove nothing."""
    blind = {"main", "at exit", "codecs", "left by force", "died", "timeout", "memory", "locks"}
    with WarmSandbox(Settings()) as sandbox:
        before = seen(sandbox)
        for name in MARKS.keys() - blind:
            shown = "import json as own; dumps = own.dumps; put = print\n"
            code = f"{shown}{LOOKS}\n{MARKS[name]}\nput(dumps(look(), default=str))"
            report = run(sandbox, code)
            assert report.stdout != json.dumps(before).encode() + b"\n", name


@pytest.mark.parametrize("name", MESSES)
def test_a_program_after_a_mess_finds_an_empty_folder(
    bubblewrap: str, shared: WarmSandbox, name: str
) -> None:
    program = next(each for each in programs() if each.name == name)
    run(shared, program.text, Calls("solve", (Call((2, 3)), Call((10, -4)))))
    asked = "import os; print(os.listdir('/tmp'), len(os.listdir('/dev')) < 6, os.getcwd())"
    assert run(shared, asked).stdout == b"[] True /tmp\n"


@pytest.fixture(scope="module")
def shared(bubblewrap: str) -> Iterator[WarmSandbox]:
    with WarmSandbox(Settings()) as made:
        yield made
