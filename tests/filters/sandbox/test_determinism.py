"""The same verdict with the same evidence, whatever the order, the workers, the mode and the seed.

What a program prints of the time, of chance from the kernel or of its own number cannot be the same
twice: for those only the verdict is. Everything else that a program can ask by accident is fixed:
the order of sets, `hash`, `random`.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from typing import Any

import pytest
from attack_programs import OUTPUT_KB, Program, programs

from potstill.filters.code import Code
from potstill.pipeline.filter import JudgeContext
from potstill.pipeline.sample import Sample, new_sample

FIXED = {
    "order of a set of words": "print({'apple', 'pear', 'plum', 'fig', 'kiwi'})",
    "hash of a word": "print(hash('apple'), hash((1, 'a')), hash(b'x'))",
    "order of names": "print(sorted(vars()), list({chr(n) for n in range(97, 120)}))",
    "random": "import random; print(random.random(), random.sample(range(100), 5))",
    "random from a thread": (
        "import random, threading\n"
        "t = threading.Thread(target=lambda: print(random.random())); t.start(); t.join()"
    ),
    "environment": "import os, sys; print(dict(os.environ), sys.argv, os.getcwd(), sys.flags)",
    "traceback": "def f(n): return f(n - 1) if n else 1 / 0\nf(3)",
    "traceback of a library": "import json; json.loads('{')",
    "syntax error": "def f(:\n    pass",
    "files": "import os; open('b', 'w'); open('a', 'w'); print(os.listdir())",
    "objects": "print(object(), print, [type('T', (), {})()])",
    "object in an error": "raise ValueError(object())",
    "memory": "x = [0] * 10 ** 10",
    "recursion": "def f(n): return f(n + 1)\nprint(f(0))",
    "warnings": "import warnings; warnings.warn('a'); print(1)",
    "flood": "while True: print('x' * 100)",
}
SET_WITH_ADDRESSES = "print([str(x)[:5] for x in {None, int, str, float, len, print, object}])"
FREE = {
    "time": "import time; print(time.time(), time.perf_counter())",
    "date": "import datetime; print(datetime.datetime.now())",
    "number of the process": "import os; print(os.getpid())",
    "chance from the kernel": "import os, uuid, secrets; print(os.urandom(4), uuid.uuid4())",
    "address": "print(id(object()), hex(id(print)))",
    "address in decimal": "import threading; print(threading.current_thread())",
    "time used": "import time; print(time.process_time())",
}
KEY = json.dumps({"kind": "stdio", "cases": [{"stdin": "", "stdout": "never printed\n"}]})
UNSURE = {"c03_thread_forges", "c08_thread_bomb", "c10_many_files", "c12_channel_flood"}
"""What two threads or two limits race for."""
Told = dict[str, tuple[float | None, str, str]]


def quick() -> list[Program]:
    """Programs that use up no limit of time."""
    return [
        each
        for each in programs()
        if not {"timeout", "memory"} & each.reasons
        and not each.head.keys() & {"packages", "patient", "machine"}
        and "@" not in each.text
        and each.name not in UNSURE
    ]


def rows() -> dict[str, Sample]:
    found = {each.name: each.sample() for each in quick()}
    for name, code in (FIXED | FREE).items():
        found[name] = new_sample((), completion=f"```python\n{code}\n```", answer=KEY)
    return found


def judged(samples: dict[str, Sample], workers: int = 2, seed: int = 0, **config: Any) -> Told:
    """Verdicts in an order by the seed."""
    names = list(samples)
    random.Random(seed).shuffle(names)
    made = Code(cpu_seconds=1, wall_seconds=3.0, output_kb=OUTPUT_KB, **config)
    with made.open(JudgeContext(workers=workers)) as judge:
        verdicts = judge.judge([samples[name] for name in names])
    return {
        name: (each.score, each.reason, json.dumps(dict(each.evidence), sort_keys=True))
        for name, each in zip(names, verdicts, strict=True)
    }


@pytest.fixture(scope="module")
def first(bubblewrap: str) -> Told:
    return judged(rows(), workers=1)


WAYS: dict[str, dict[str, Any]] = {
    "another order": {"workers": 1, "seed": 1},
    "two workers": {"workers": 2, "seed": 2},
    "a sandbox for each": {"workers": 2, "seed": 3, "mode": "oneshot"},
}


@pytest.mark.timeout(200)
@pytest.mark.parametrize("way", WAYS)
def test_verdicts_and_evidence_are_the_same(first: Told, way: str) -> None:
    second = judged(rows(), **WAYS[way])
    assert {name: second[name][:2] for name in second} == {name: first[name][:2] for name in second}
    changed = {name: (first[name][2], second[name][2]) for name in second.keys() - FREE.keys()}
    assert not {name: pair for name, pair in changed.items() if pair[0] != pair[1]}


def test_the_seed_of_the_judge_changes_nothing(first: Told) -> None:
    """Run as a program of its own, with another seed for hashes and another home."""
    script = (
        "import json, sys; sys.path[:0] = sys.argv[1:]\n"
        "from test_determinism import FIXED, judged, rows\n"
        "found = rows()\n"
        "print(json.dumps(judged({name: found[name] for name in FIXED})))"
    )
    places = [os.path.dirname(__file__), os.path.dirname(os.path.dirname(__file__))]
    environment = os.environ | {"PYTHONHASHSEED": "12345", "HOME": "/nowhere", "LC_ALL": "C"}
    done = subprocess.run(
        [sys.executable, "-c", script, *places],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = {name: tuple(told) for name, told in json.loads(done.stdout).items()}
    assert found == {name: first[name] for name in FIXED}


def test_the_order_of_a_set_of_objects_is_the_same(bubblewrap: str) -> None:
    """It follows their addresses, and `None` was hashed by its address until Python 3.12."""
    sample = new_sample((), completion=f"```python\n{SET_WITH_ADDRESSES}\n```", answer=KEY)
    found = {judged({"set": sample}, mode=mode)["set"] for mode in ("warm", "oneshot", "warm")}
    assert len(found) == 1
