"""The mix step: proportions, copies, left-overs, and an order that depends on content alone."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from workbench import Workbench, aside, problem

from potstill.pipeline.artifact import Artifact
from potstill.pipeline.errors import RequestError
from potstill.pipeline.references import Reference, identity_config, walk
from potstill.pipeline.sample import SAMPLE_SCHEMA, Generation, Sample, with_ids
from potstill.pipeline.shards import write_table
from potstill.pipeline.verdicts import samples_digest
from potstill.stages.mix import MIXTURE_SCHEMA, Mix
from potstill.stages.mixing import reorder as reorder_module
from potstill.stages.mixing.shares import apportion, largest_share


def part(bench: Workbench, name: str, rows: int, backward: bool = False) -> Artifact:
    made = [problem(f"{name} {n}", f"answer {n}", source=name) for n in range(rows)]
    return bench.samples(name, made[::-1] if backward else made)


def mix(bench: Workbench, sizes: dict[str, int], name: str = "mixture", **fields: Any) -> Artifact:
    inputs = {part_name: part(bench, part_name, rows) for part_name, rows in sizes.items()}
    return bench.run(name, Mix(**fields), inputs=inputs)


def per_source(mixture: Artifact) -> dict[str, int]:
    return dict(Counter(sample.source for sample in mixture.samples()))


def test_the_scarcest_part_decides(bench: Workbench) -> None:
    mixture = mix(bench, {"reasoning": 30, "general": 20}, parts={"reasoning": 3, "general": 1})
    assert per_source(mixture) == {"reasoning": 30, "general": 10}
    told = mixture.metrics
    unknown = {"tokens": None, "loss_tokens": None}
    general = {"in": 20, "rows": 10, "copies": 0, "left_out": 10, "weight": 1.0, "epochs": 0.5}
    general |= {"asked": 10, "reached": 10, "share_asked": 0.25, "share": 0.25, **unknown}
    assert told["parts"]["general"] == general
    assert told["report"]["source"] == {
        "general": {"samples": 10, **unknown},
        "reasoning": {"samples": 30, **unknown},
    }
    assert told["total"] == {"samples": 40, **unknown}
    assert {name: told[name] for name in ("in", "rows", "copies", "left_out")} == {
        "in": 50,
        "rows": 40,
        "copies": 0,
        "left_out": {"ratio": 10},
    }
    assert mixture.table().schema.equals(MIXTURE_SCHEMA)
    kept = {sample.id for sample in mixture.samples()}
    left_out = {row["id"] for row in aside(mixture, "left_out")}
    assert len(left_out) == 10
    assert kept.isdisjoint(left_out)


def test_the_size_may_be_smaller(bench: Workbench) -> None:
    mixture = mix(bench, {"a": 30, "b": 20}, parts={"a": 3, "b": 1}, size=10)
    assert per_source(mixture) == {"a": 8, "b": 2}  # 7.5 and 2.5: equal remainders go by name
    assert mixture.metrics["left_out"] == {"ratio": 40}


def test_copies_are_counted_and_named(bench: Workbench) -> None:
    mixture = mix(bench, {"a": 10, "b": 30}, parts={"a": 1, "b": 1}, repeat=3)
    assert per_source(mixture) == {"a": 30, "b": 30}
    assert mixture.metrics["copies"] == 20
    keys = list(zip(*(mixture.table().column(c).to_pylist() for c in ("id", "copy")), strict=True))
    assert len(set(keys)) == 60
    assert Counter(copy for _, copy in keys) == {0: 40, 1: 10, 2: 10}


def test_repeating_never_makes_all_of_it_longer(bench: Workbench) -> None:
    mixture = mix(bench, {"a": 10, "b": 10}, parts={"a": 1, "b": 1}, repeat=5)
    assert (mixture.rows, mixture.metrics["copies"]) == (20, 0)


def test_counts_and_epochs_say_how_much(bench: Workbench) -> None:
    parts = {"a": {"count": 6}, "b": {"epochs": 2.5}}
    mixture = mix(bench, {"a": 10, "b": 4}, parts=parts)
    assert per_source(mixture) == {"a": 6, "b": 10}
    told = mixture.metrics["parts"]
    assert (told["b"]["epochs"], told["b"]["copies"], told["a"]["weight"]) == (2.5, 6, None)
    copies = Counter(Counter(s.id for s in mixture.samples() if s.source == "b").values())
    assert copies == {2: 2, 3: 2}


def test_r1_by_counts_and_by_weights_is_the_same(bench: Workbench) -> None:
    sizes = {"reasoning": 70, "general": 25}
    counts = {"reasoning": {"count": 60}, "general": {"count": 20}}
    one = mix(bench, sizes, "one", parts=counts)
    two = mix(bench, sizes, "two", parts={"reasoning": 3, "general": 1}, size=80)
    assert per_source(one) == {"reasoning": 60, "general": 20}
    assert samples_digest(one.path) == samples_digest(two.path)


def test_what_is_asked_and_not_there_is_told(bench: Workbench) -> None:
    with pytest.raises(RequestError, match=r"needs 30 samples of 'a', which has 10 .* repeat: 3"):
        mix(bench, {"a": 10, "b": 90}, parts={"a": 1, "b": 1}, size=60)
    with pytest.raises(RequestError, match="nothing to mix: b holds no samples"):
        mix(bench, {"a": 10, "b": 0}, parts={"a": 1, "b": 1})


def test_a_part_too_small_to_show_is_noted(bench: Workbench) -> None:
    mix(bench, {"a": 2, "b": 2}, parts={"a": 9, "b": 1})
    assert bench.notes == ["the mixture is so small that it has no row of ['b']"]


def test_the_order_depends_on_content_and_seed_alone(bench: Workbench) -> None:
    def made(name: str, backward: bool, **fields: Any) -> Artifact:
        there = Workbench(bench.root / name)
        inputs = {n: part(there, n, rows, backward) for n, rows in (("a", 40), ("b", 20))}
        return there.run("mixture", Mix(**fields), inputs=inputs)

    one = made("one", False, parts={"a": 2, "b": 2}, seed=1)
    two = made("two", True, parts={"b": 2, "a": 2}, seed=1)
    assert samples_digest(one.path) == samples_digest(two.path)
    other = made("other", False, parts={"a": 2, "b": 2}, seed=2)
    assert [s.id for s in one.samples()] != [s.id for s in other.samples()]
    assert {s.id for s in one.samples()} != {s.id for s in other.samples()}


def test_the_parts_are_shuffled(bench: Workbench) -> None:
    mixture = mix(bench, {"a": 100, "b": 100}, parts={"a": 1, "b": 1})
    sources = [sample.source for sample in mixture.samples()]
    assert 60 < sum(one != two for one, two in itertools.pairwise(sources)) < 140


CUT_BY_THREE = {**(reorder_module.reorder.__kwdefaults__ or {}), "rows_per_shard": 3}


def test_rows_come_through_unchanged(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reorder_module.reorder, "__kwdefaults__", CUT_BY_THREE)
    made = Generation("t", "r", "key", 1, None, "stop", 3, None, True)
    samples = [
        problem("中文", None, answer=None, language=None),
        problem("q", "a\u0000b\u2028", answer="2", generation=made, extra='{"x":1}'),
        problem("q2", "", generation=made),
        problem("q3", "x"),
    ]
    artifact = bench.samples("a", samples)
    mixture = bench.run("mixture", Mix(parts={"a": 1}), inputs={"a": artifact})
    before = {sample.id: sample for sample in artifact.samples()}
    assert {sample.id: sample for sample in mixture.samples()} == before
    assert [f.name for f in sorted(mixture.path.glob("part-*"))] == [
        "part-00000.parquet",
        "part-00001.parquet",
    ]


def test_a_sample_in_two_parts_or_in_a_mixture_has_one_number_each(bench: Workbench) -> None:
    one = bench.samples("one", [problem("q", "x"), problem("r", "y")])
    two = bench.samples("two", [problem("q", "x"), problem("s", "z")])
    first = bench.run("first", Mix(parts={"one": 1, "two": 1}), inputs={"one": one, "two": two})
    again = bench.run(
        "again", Mix(parts={"first": 2, "one": 1}, size=6), inputs={"first": first, "one": one}
    )
    for mixture, most in ((first, 1), (again, 2)):
        table = mixture.table().select(["id", "copy"]).to_pylist()
        assert len({(row["id"], row["copy"]) for row in table}) == len(table)
        assert max(row["copy"] for row in table) == most


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no parts": ({"parts": {}}, "at least 1 item"),
    "weight of nothing": ({"parts": {"a": 0}}, "greater than 0"),
    "endless weight": ({"parts": {"a": float("inf")}}, "finite"),
    "whose tokens": ({"parts": {"a": 1}, "unit": "tokens"}, "tokens needs a student"),
    "whose length": ({"parts": {"a": 1}, "max_length": 9}, "max_length says how a student counts"),
    "another unit": ({"parts": {"a": 1}, "unit": "words"}, "Input should be 'samples', 'tokens'"),
    "rows": ({"parts": {"a": 1}, "rows": 3}, "Extra inputs are not permitted"),
    "never": ({"parts": {"a": 1}, "repeat": 0}, "greater than or equal to 1"),
    "endless": ({"parts": {"a": 1}, "repeat": 10**12}, "less than or equal to 1000"),
}


@pytest.mark.parametrize(("fields", "message"), WRONG.values(), ids=WRONG.keys())
def test_wrong_requests(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Mix(**fields)


def test_the_plan_finds_the_parts() -> None:
    mix = Mix(parts={"a": 1, "b": {"count": 3}}, student="./s")
    marked = [(m.at, m.value) for m in walk(mix) if isinstance(m.mark, Reference)]
    assert marked == [(("parts", "a"), "a"), (("parts", "b"), "b"), (("student",), "./s")]


def test_a_number_and_a_mapping_that_mean_the_same_are_the_same() -> None:
    one, two = Mix(parts={"a": 3}), Mix(parts={"a": {"weight": 3}})
    assert identity_config(one, str) == identity_config(two, str)


def test_the_mixture_schema_begins_with_that_of_samples() -> None:
    assert MIXTURE_SCHEMA.names == [*SAMPLE_SCHEMA.names, "copy"]


_weights = st.dictionaries(
    st.sampled_from("abcd"), st.fractions(Fraction(1, 9), 9, max_denominator=9), min_size=1
)


@given(_weights, st.data())
def test_proportions_are_within_one_row(weights: dict[str, Fraction], data: st.DataObject) -> None:
    have = {name: data.draw(st.integers(1, 200)) for name in weights}
    repeat = data.draw(st.integers(1, 3))
    total = largest_share(have, weights, {}, repeat)
    counts = apportion(total, weights)
    whole = sum(weights.values())
    assert sum(counts.values()) == total
    for name, rows in counts.items():
        assert abs(rows - total * weights[name] / whole) < 1
        assert rows <= have[name] * repeat
    larger = {name: (total + 1) * weight / whole for name, weight in weights.items()}
    used_up = all(larger[name] > have[name] for name in weights)
    assert used_up or any(larger[name] > have[name] * repeat for name in weights)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, 7), min_size=1, max_size=4), st.permutations("ab"))
def test_how_a_part_is_cut_into_shards_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, cut: list[int], names: list[str]
) -> None:
    def made(sizes: list[int]) -> Artifact:
        there = Workbench(tmp_path_factory.mktemp("cut"))
        rows = [problem(f"question {n}", str(n), language="en") for n in range(25)]
        parts = {name: cut_into(there, name, rows, sizes) for name in "ab"}
        return there.run("mixture", Mix(parts=dict.fromkeys(names, 1), repeat=2), inputs=parts)

    assert samples_digest(made(cut).path) == samples_digest(made([]).path)


def cut_into(bench: Workbench, name: str, rows: list[Sample], sizes: list[int]) -> Artifact:
    """The rows as an artifact of shards of these sizes, the rest in the last one."""
    context = bench.context(name)
    made = list(with_ids([replace(row, source=name) for row in rows]))
    for index, size in enumerate([*sizes, len(made)]):
        table = [row.to_row() for row in made[:size]]
        made = made[size:]
        shard = context.out / f"part-{index:05d}.parquet"
        write_table(shard, pa.Table.from_pylist(table, schema=SAMPLE_SCHEMA))
    return bench._finish(context, "made_by_hand", {})


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=3),
    st.integers(1, 3),
    st.integers(0, 3),
)
def test_counts_close_with_copies(
    tmp_path_factory: pytest.TempPathFactory,
    sizes_and_weights: list[tuple[int, int]],
    repeat: int,
    seed: int,
) -> None:
    bench = Workbench(tmp_path_factory.mktemp("mix"))
    sizes = {f"p{n}": rows for n, (rows, _) in enumerate(sizes_and_weights)}
    weights = {f"p{n}": weight for n, (_, weight) in enumerate(sizes_and_weights)}
    mixture = mix(bench, sizes, parts=weights, repeat=repeat, seed=seed)
    left_out = aside(mixture, "left_out")
    metrics = mixture.metrics
    assert metrics["in"] + metrics["copies"] == mixture.rows + len(left_out)
    used = Counter(sample.id for sample in mixture.samples())
    assert max(used.values()) <= repeat
    assert sum(count - 1 for count in used.values()) == metrics["copies"]
    assert used.keys().isdisjoint(row["id"] for row in left_out)
