"""How often the shipped filters are wrong: the tables of docs/judges.md.

    python tests/filters/rates.py                 # rewrites the tables between the markers
    python tests/filters/rates.py --texts         # and that of texts by people (../shared/data)
    python tests/filters/rates.py --first-run F   # records the rates of tables judged first now

A labelled case is wrong in one of five ways: a bad one passes (false accept), a good one fails
(false reject), a share lies outside of its range, something known is called unknown, or something
unknown gets a number. The tables are also what the filters were mended with, so what they get right
here is no forecast. The nearest to one is `blind_first_run.json`: sets written by someone who had
not seen the filters, judged once before anything was changed because of them.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from case_tables import Case, files, kind_of, read_cases
from judged_cases import verdicts_of
from texts_by_people import alarms

from potstill.filters import FILTERS
from potstill.pipeline.verdict import Verdict

PAGE = Path(__file__).resolve().parents[2] / "docs" / "judges.md"
FIRST_RUN = Path(__file__).with_name("blind_first_run.json")
WAYS = (
    "false accepts",
    "false rejects",
    "outside the range",
    "known called unknown",
    "unknown given a number",
)
Rates = dict[str, int]


def way_of(case: Case, verdict: Verdict) -> str | None:
    """How a verdict is wrong, by its score alone; None if it is right."""
    truth, said = case.score, verdict.score
    if truth is None or said is None:
        if truth is said:
            return None
        return "unknown given a number" if truth is None else "known called unknown"
    if isinstance(truth, list):
        return None if truth[0] <= said <= truth[1] else "outside the range"
    if said == truth:
        return None
    return "false accepts" if said > truth else "false rejects"


def rates_of(judged: Iterable[tuple[Case, Verdict]]) -> Rates:
    """Number of cases, of those that should pass, fail or be unknown, and of each way."""
    found: Counter[str] = Counter()
    for case, verdict in judged:
        found["cases"] += 1
        if not isinstance(case.score, list):
            found[{None: "unknown", 0.0: "bad", 1.0: "good"}.get(case.score, "graded")] += 1
        else:
            found["graded"] += 1
        way = way_of(case, verdict)
        if way is not None:
            found[way] += 1
    return dict(found)


def table(rates: Mapping[str, Rates]) -> list[str]:
    """A markdown table, one line for each filter."""
    lines = [
        f"| filter | cases | good / bad / graded / unknown | {' | '.join(WAYS)} |",
        f"|---|--:|--:|{'--:|' * len(WAYS)}",
    ]
    for name, each in sorted(rates.items()):
        parts = " / ".join(str(each.get(part, 0)) for part in ("good", "bad", "graded", "unknown"))
        ways = " | ".join(str(each.get(way, 0)) for way in WAYS)
        lines.append(f"| {name} | {each['cases']} | {parts} | {ways} |")
    return lines


def rates_of_tables() -> dict[str, Rates]:
    """Of all tables of cases, by filter."""
    judged: dict[str, list[tuple[Case, Verdict]]] = {}
    for file in files():
        judged.setdefault(kind_of(file), []).extend(verdicts_of(file))
    return {kind: rates_of(pairs) for kind, pairs in judged.items()}


def reasons() -> list[str]:
    """The closed list of every filter."""
    lines = ["| filter | reasons |", "|---|---|"]
    for kind, made in sorted(FILTERS.items()):
        lines.append(f"| {kind} | {', '.join(sorted(made.reasons))} |")
    return lines


def section(text: str, name: str, lines: list[str]) -> str:
    """The page with new lines between `<!-- name -->` and `<!-- /name -->`."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    head, found, rest = text.partition(begin)
    _, closed, tail = rest.partition(end)
    if not found or not closed:
        raise SystemExit(f"{PAGE} has no {begin} … {end}")
    return "\n".join([head + begin, *lines, end + tail])


def page(text: str) -> str:
    """The page with today's tables."""
    text = section(text, "reasons", reasons())
    text = section(text, "labelled cases", table(rates_of_tables()))
    return section(text, "first run", table(json.loads(FIRST_RUN.read_text("utf-8"))))


def alarm_table() -> list[str]:
    """How often texts by people are found fault with."""
    lines = ["| filter | texts | false alarms |", "|---|--:|--:|"]
    return lines + [f"| {kind} | {of:,} | {loud} |" for kind, (of, loud) in alarms().items()]


def record_first_run(tables: list[Path]) -> None:
    """Add the rates of tables that were never judged before."""
    known = json.loads(FIRST_RUN.read_text("utf-8")) if FIRST_RUN.exists() else {}
    for file in tables:
        if kind_of(file) in known:
            raise SystemExit(f"{kind_of(file)} has had its first run; a second one says nothing")
        from case_tables import judge_cases

        known[kind_of(file)] = rates_of(judge_cases(read_cases(file)))
    FIRST_RUN.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", "utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--first-run"]:
        record_first_run([Path(name) for name in sys.argv[2:]])
    else:
        text = page(PAGE.read_text("utf-8"))
        if sys.argv[1:2] == ["--texts"]:
            text = section(text, "texts by people", alarm_table())
        PAGE.write_text(text, "utf-8")
