"""Why a step left a sample out, or took it where not all could go, as a sentence with its numbers.

The reason in `left_out/` is a word; the numbers behind it are in the step's config, in verdicts and
in the problem's other samples, and are looked up here. A reason that is not known here is told as
it stands, with the other columns of its row.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from .show_rows import score_text
from .terminal import count
from .why_problem import Problem
from .why_rank import chosen_because
from .why_steps import Step
from .why_thresholds import judges_of

PLAIN: Final = {
    "no_wrong_sample": "a right one, but no wrong one of its problem to pair it with",
    "no_right_sample": "a wrong one, but no right one of its problem to pair it with",
    "pairs_full": "its problem has its pairs already",
    "also_right": "wrong, but equal to a right one",
    "cut_off": "cut by the token limit",
    "no_completion": "it has no completion",
    "repeated": "the same row came before",
    "same_problem": "its problem is in the data already",
    "balance_others": "its value has no weight in balance",
    "no_answers": "none of its problem's samples gave an answer to take for a key",
    "too_few_votes": "too few of its problem's samples agree on a key",
    "tied_answers": "its problem's samples are divided between several keys",
    "no_majority": "no answer has the share of its problem's samples that a key needs",
}
"""Reasons that say all there is to say."""
_PARTS: Final = ("prompt", "completion", "thought", "answer")


def because(step: Step, row: Mapping[str, Any], problem: Problem) -> str:
    """Why the step left a sample out.

    Args:
        row: of its `left_out/`: id, reason and perhaps more.
    """
    reason = str(row["reason"])
    if (of := row.get("of")) is not None:
        return f"a duplicate of {of}"
    for told in (
        _by_threshold,
        _by_length,
        _by_pass_rate,
        _by_balance,
        _by_place,
        _by_share,
        _by_tokens,
    ):
        if sentence := told(step, reason, row["id"], problem):
            return sentence
    return PLAIN.get(reason, reason.replace("_", " "))


def relation(score: float, bound: float, sign: str = "below") -> str:
    """`0.91 is below 0.95`, with as many digits as it takes to see it."""
    for digits in range(2, 17):
        texts = [f"{value:.{digits}f}" for value in (score, bound)]
        if score == bound or texts[0] != texts[1]:
            break
    return (
        f"{texts[0]} is {sign} {bound:g}"
        if digits > 2
        else f"{score_text(score)} is {sign} {bound:g}"
    )


def verdict_seen(
    step: Step, name: str, sample_id: str, problem: Problem
) -> Mapping[str, Any] | None:
    """What a step knew of a filter's opinion on a sample."""
    for judge in judges_of(step, problem.steps):
        found = problem.verdicts(judge).get(name, {}).get(sample_id)
        if found is not None:
            return found
    return None


def _by_threshold(step: Step, reason: str, sample_id: str, problem: Problem) -> str:
    keep = step.config.get("keep", {})
    by = (step.config.get("pairs") or {}).get("by")
    for name in [*sorted(keep), *([by] if by and by not in keep else [])]:
        verdict = verdict_seen(step, name, sample_id, problem)
        if verdict is None or reason not in (f"{name}_unknown", f"{name}_{verdict['reason']}"):
            continue
        if verdict["score"] is None:
            return f"{name} could not say ({verdict['reason']})"
        if name in keep and verdict["score"] < keep[name]:
            return f"{name} {relation(verdict['score'], keep[name])} ({verdict['reason']})"
        return f"{name} {score_text(verdict['score'])} is neither right nor wrong enough for a pair"
    return ""


def _by_length(step: Step, reason: str, sample_id: str, problem: Problem) -> str:
    rule = step.config.get("length") or {}
    unit = rule.get("unit", "characters")
    for part in _PARTS:
        limits = rule.get(part)
        if not limits or not reason.startswith(f"{part}_"):
            continue
        long = problem.length(sample_id, part, unit)
        if reason == f"{part}_length_unknown":
            return f"the length of its {part} in {unit} is unknown"
        bound = "most" if reason.endswith("_too_long") else "least"
        return f"its {part} has {count(long)} {unit}, at {bound} {limits[bound]:,} are asked"
    return ""


def _by_pass_rate(step: Step, reason: str, sample_id: str, problem: Problem) -> str:
    rule = step.config.get("pass_rate")
    if not rule or reason not in ("too_easy", "too_hard", "pass_rate_unknown"):
        return ""
    right, judged = pass_rate(step, problem)
    if reason == "pass_rate_unknown":
        return f"{judged} of its problem's samples were judged by {rule['by']}, too few for a rate"
    sign, bound = ("above", "most") if reason == "too_easy" else ("below", "least")
    rate = relation(right / judged, rule[bound], sign)
    return f"{right} of {judged} samples of its problem are right: {rate} ({reason})"


def pass_rate(step: Step, problem: Problem) -> tuple[int, int]:
    """Right and judged samples of the problem, by the step's `pass_rate`."""
    rule = step.config["pass_rate"]
    source = step.input(step.config.get("samples"), problem.steps)
    ids = dict.fromkeys(row["id"] for row in problem.rows(source))
    verdicts = [verdict_seen(step, rule["by"], one, problem) for one in ids]
    scores = [said["score"] for said in verdicts if said and said["score"] is not None]
    return sum(score >= rule["correct"] for score in scores), len(scores)


def _by_balance(step: Step, reason: str, sample_id: str, problem: Problem) -> str:
    rule = step.config.get("balance")
    if not rule or reason not in ("balance", "balance_others"):
        return ""
    value = _value(rule["by"], sample_id, problem)
    by = f"{rule['by']} {value}" if value is not None else rule["by"]
    return f"too many of {by} to balance" if reason == "balance" else f"{by} has no weight"


def _value(by: str, sample_id: str, problem: Problem) -> str | None:
    columns = problem.samples[sample_id].columns
    if by.startswith("extra."):
        found = json.loads(columns["extra"]).get(by.removeprefix("extra."))
        return None if found is None else str(found)
    return columns.get(by)


def _by_place(step: Step, reason: str, sample_id: str, problem: Problem) -> str:
    return chosen_because(step, sample_id, problem) if reason == "per_prompt" else ""


def _by_share(step: Step, reason: str, sample_id: str, problem: Problem) -> str:
    if reason != "ratio":
        return ""
    told = [
        f"the mixture took {part['rows'] - part['copies']:,} of {part['in']:,} samples of part "
        f"{part['part']}"
        for part in parts_of_mixture(step, sample_id, problem)
    ]
    return "; ".join(told) or "the mixture needed no more"


def parts_of_mixture(step: Step, sample_id: str, problem: Problem) -> list[dict[str, Any]]:
    """The parts of a mixture that hold a sample, with what became of them: `in`, `rows`, `copies`,
    `weight`, `share` and the like, as far as the mixture tells it."""
    told = step.artifact.metrics.get("parts", {})
    names = [name for name in step.config.get("parts", {}) if name in told]
    found = [name for name in names if problem.holds(step.input(name, problem.steps), sample_id)]
    return [{"part": name, **told[name]} for name in found]


def _by_tokens(step: Step, reason: str, sample_id: str, problem: Problem) -> str:
    most = step.config.get("max_length")
    if reason != "too_long" or most is None:
        return ""
    tokens = tokens_of(step, problem).get(sample_id, {}).get("tokens")
    told = "it has more" if tokens is None else f"it has {tokens:,} tokens, more"
    return f"{told} than max_length {most:,}"


def tokens_of(step: Step, problem: Problem) -> dict[str, dict[str, Any]]:
    """By sample, tokens that a mix step counted: the step's own, or for a training those of its
    data, if they were counted for the very model that it starts from."""
    if step.kind == "mix":
        return problem.tokens(step)
    data = step.input(step.config.get("data"), problem.steps)
    same = data is not None and data.config.get("student") == step.config.get("model")
    return problem.tokens(data) if data is not None and same else {}
