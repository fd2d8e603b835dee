r"""Golden verdicts of the shipped filters: what each said when its version was last raised.

    python tests/filters/golden.py          # writes golden.jsonl beside this file

A changed behaviour without a raised `version` would silently mix old verdicts with new ones, so
this refuses to overwrite a verdict whose filter still has the version it was written with.
To add a filter, add its cases below; every reason of a filter needs at least one.
"""

import contextlib
import json
import sys
from pathlib import Path
from typing import Any

from potstill.filters import FILTERS
from potstill.pipeline.filter import Judge, JudgeContext, SampleFilter
from potstill.pipeline.sample import Generation, Message, Sample, new_sample
from potstill.pipeline.verdict import Verdict

FILE = Path(__file__).with_name("golden.jsonl")

GOOD = "<think>Two and three make five.</think>The answer is \\boxed{5}."
LOOP = "so we add one more, "


def boxed(answer: str) -> str:
    return f"<think>Let me see.</think>The answer is \\boxed{{{answer}}}."


def math(key: str | None, completion: str | None, **fields: Any) -> dict[str, Any]:
    return {"answer": key, "completion": completion, **fields}


def written(language: str | None, completion: str | None, prompt: str = "") -> dict[str, Any]:
    return {"language": language, "completion": completion, "prompt": prompt}


CASES: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = {
    "format": [
        ({}, {"completion": text})
        for text in [
            None,
            GOOD,
            "\n <think>a</think>\nb",
            "no tags at all",
            "",
            "<think>never closed",
            "thought</think>answer",
            "<think>a</think>b<think>c</think>d",
            "<think>a<think>b</think>c",
            "<think>a</think>b<think>c",
            "First, <think>a</think>b",
            "<think> \n</think>b",
            "<think>a</think> \n",
        ]
    ]
    + [({}, {"completion": "<think>a</think>b", "finish_reason": "length"})],
    "language": [
        ({}, case)
        for case in [
            written("en", None),
            written(None, GOOD),
            written("de", GOOD),
            written("en", GOOD),
            written("en-US", "<think>Five 苹果 and six</think>ok"),
            written("en", "<think>二加三等于五</think>五"),
            written("zh", "<think>二加三等于五</think>五"),
            written(
                "zh", "<think>速度是 60 km/h，设 x 为 $v \\text{ speed}$，`int main`</think>五"
            ),
            written("zh", "<think>Natalia 卖了 clips。</think>五", "Natalia sold 48 clips."),
            written("en", "<think>2+3=5</think>5"),
            written("zh", "没有标签的中文"),
            written("zh", "<think>我们 then add слово けん</think>"),
        ]
    ],
    "length": [
        ({}, {"completion": GOOD}),
        ({}, {"completion": None}),
        ({}, {"completion": "<think>open"}),
        ({"unit": "words"}, {"completion": "<think>two words</think>一二三"}),
        ({"min_thought": 3}, {"completion": "<think>ab</think>b"}),
        ({"max_thought": 3}, {"completion": "<think>abcd</think>b"}),
        ({"min_answer": 1}, {"completion": "<think>abcd</think> "}),
        ({"max_answer": 1, "unit": "words"}, {"completion": "<think>a</think>one two"}),
    ],
    "repetition": [
        ({}, {"completion": None}),
        ({}, {"completion": GOOD}),
        ({}, {"completion": f"<think>{LOOP * 9}"}),
        ({}, {"completion": f"<think>fine</think>{LOOP * 4}"}),
        (
            {"ngram": 3, "max_ngram_share": 0.1},
            {"completion": "<think>one two three four. Then one two three again.</think>x"},
        ),
        ({"ngram": 3, "max_ngram_share": 0.5}, {"completion": "<think>一二三四一二三</think>x"}),
    ],
    "math": [
        ({}, case)
        for case in [
            math(None, GOOD),
            math(" ", GOOD),
            math("5", None),
            math("5", GOOD, task="code"),
            math("5", GOOD),
            math("5", GOOD, task="math"),
            math("6", GOOD),
            math("5", "<think>so \\boxed{5}"),
            math("5", "<think>a</think>b<think>\\boxed{5}"),
            math("5", "<think>a</think>\\boxed{5"),
            math("5", "<think>a</think> \n"),
            math("5", "<think>a</think>\\boxed{ }"),
            math("5", "<think>a</think>I do not know"),
            math("5", "<think>a</think>The answer is 5."),
            math("5", "<think>a</think>答案是5个。"),
            math("5", "\\boxed{5}"),
            math("42", "The answer is 42", finish_reason="length"),
            math("42", "The answer is \\boxed{42}, bec", finish_reason="length"),
            math("5", "<think>a</think>\\boxed{4} no, \\boxed{5}"),
            math("5", "<think>a</think>\\boxed{5}, that is \\boxed{5.0}"),
            math("1,234", boxed("1234")),
            math("$18", boxed("18 \\text{ dollars}")),
            math("2.5", boxed("2 1/2")),
            math("569", boxed("569.")),
            math("0.5", boxed("50\\%")),
            math("x^2+1", boxed("1+x^2")),
            math("2ab", boxed("2")),
            math("2^{-98}", boxed("2^{-99}")),
            math("x<3", boxed("(-\\infty,3)")),
            math("10", boxed("9^{9^9}")),
            math("100000000!", boxed("10")),
            math("是", boxed("3")),
            math("\\sqrt{", boxed("3")),
            math("5", boxed("3千")),
            math("x \\ne 1", boxed("x>2")),
            math("\\infty", boxed("+\\infty")),
        ]
    ],
}


def sample_of(fields: dict[str, Any]) -> Sample:
    """A sample from the fields of a case; a finish reason makes it a generated one."""
    fields = dict(fields)
    prompt = (Message("user", fields.pop("prompt", "") or "How many?"),)
    reason = fields.pop("finish_reason", None)
    made = Generation("t", "r", "k", 0, None, reason, None, None) if reason else None
    return new_sample(prompt, generation=made, **fields)


def rows_of_today() -> list[dict[str, Any]]:
    """One row for each case, as they stand in the file."""
    return [row for kind in CASES for row in _rows_of(kind)]


def _rows_of(kind: str) -> list[dict[str, Any]]:
    judges: dict[str, Judge] = {}
    with contextlib.ExitStack() as stack:
        for config, _ in CASES[kind]:
            made = FILTERS[kind](**config)
            assert isinstance(made, SampleFilter), f"{kind} needs its own golden form"
            judges[json.dumps(config)] = stack.enter_context(made.open(JudgeContext()))
        return [
            {
                "filter": kind,
                "version": FILTERS[kind].version,
                "config": config,
                "sample": fields,
                "verdict": as_json(judges[json.dumps(config)].judge([sample_of(fields)])[0]),
            }
            for config, fields in CASES[kind]
        ]


def as_json(verdict: Verdict) -> dict[str, Any]:
    evidence = dict(verdict.evidence)
    return {"score": verdict.score, "reason": verdict.reason, "evidence": evidence}


def recorded() -> list[dict[str, Any]]:
    """The rows of the file, none if there is no file yet."""
    lines = FILE.read_text("utf-8").split("\n") if FILE.exists() else []
    return [json.loads(line) for line in lines if line]


def identity(row: dict[str, Any]) -> str:
    """What was asked, whatever the verdict."""
    return json.dumps([row["filter"], row["config"], row["sample"]], sort_keys=True)


def main() -> int:
    """Write today's verdicts, unless one changed under an unchanged version."""
    before = {identity(row): row for row in recorded()}
    rows = rows_of_today()
    for row in rows:
        old = before.get(identity(row), row)
        if old["verdict"] != row["verdict"] and old["version"] == row["version"]:
            sys.stderr.write(
                f"{row['filter']}: the verdict on {row['sample']} was {old['verdict']} and is "
                f"{row['verdict']}, but the version is still {row['version']}. Raise `version` in "
                "the filter's class, then run this again.\n"
            )
            return 1
    lines = [json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n" for row in rows]
    FILE.write_text("".join(lines), "utf-8")
    sys.stdout.write(f"{len(rows)} golden verdicts in {FILE.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
