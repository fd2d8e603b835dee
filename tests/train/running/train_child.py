"""Trainings in forks of one warm process, killed when told: a run costs no imports.

Reads a line of JSON for each run, forks, lets the child train, and answers with a line: how it
ended. A real step is started by a runner; what it leaves on the disk is the same.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import datasets  # noqa: F401 - the forks find it imported
import peft  # noqa: F401
import trl
from trl import SFTTrainer  # noqa: F401

from potstill.pipeline import failpoints
from potstill.pipeline.artifact import open_artifact
from potstill.pipeline.progress import Event, Progress
from potstill.pipeline.stage import Context
from potstill.train.sft import Sft


def train(order: dict[str, Any]) -> None:
    """One training, as a runner would start it again: what it wrote before is removed."""
    failpoints._armed = failpoints.parse(order["fail"])
    out = Path(order["out"])
    if "copy" in order:
        shutil.copytree(out, order["copy"])
        return
    if "ballast" in order:
        name, size = order["ballast"]
        Path(name).write_bytes(bytes(size))
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    data = open_artifact(Path(order["data"]))
    assert data is not None

    def hear(event: Event) -> None:
        if event.get("facts", {}).get("phase") == "train" and event["done"] == order["kill_step"]:
            os.kill(os.getpid(), signal.SIGKILL)

    context = Context(
        step="r/student",
        out=out,
        inputs={"mixture": data},
        filters={},
        paths={"./student": Path(order["student"])},
        digests={},
        journal=out.parent / "journal.sqlite",
        progress=Progress(hear),
    )
    Sft(**order["fields"]).run(context)


def main() -> None:
    assert trl.__version__
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            code = 1
            try:
                train(json.loads(line))
                code = 0
            except Exception as error:
                print(type(error).__name__, error, file=sys.stderr, flush=True)
            os._exit(code)
        _, status = os.waitpid(child, 0)
        print(json.dumps({"code": os.waitstatus_to_exitcode(status)}), flush=True)


if __name__ == "__main__":
    main()
