"""Drawing by lot: a function of ids and seed, fair enough, and as near to an amount as can be."""

from __future__ import annotations

from itertools import pairwise

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from potstill.pipeline.sample import content_id
from potstill.stages.mixing.lots import ID, drawn, ids_as_numbers, lot, numbered, shuffled

MASK = (1 << 64) - 1


def split_mix(value: int) -> int:
    """The finaliser as its authors wrote it."""
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
    return value ^ (value >> 31)


def rows(sizes: list[int], names: list[int] | None = None) -> pl.DataFrame:
    ids = pl.Series([content_id(name) for name in names or range(len(sizes))], dtype=pl.String)
    return pl.DataFrame(
        {ID: ids_as_numbers(ids), "row": range(len(sizes)), "size": sizes},
        schema_overrides={"row": pl.Int64, "size": pl.Int64},
    )


def test_ids_are_numbers() -> None:
    ids = pl.Series(["0000000000000010", "ffffffffffffffff"])
    assert ids_as_numbers(ids).to_list() == [16, MASK]


def test_lots_are_those_of_splitmix64_on_every_machine() -> None:
    frame = pl.DataFrame({ID: [0, 1, MASK], "copy": [0, 0, 3]}, schema_overrides={ID: pl.UInt64})
    made = frame.select(lot(7, "take", pl.col("copy"))).to_series().to_list()
    key = 0x2AA067F6953A8892  # the first 8 bytes of BLAKE2b of "7:take"
    copies = [0, 0, 3 * 0x9E3779B97F4A7C15]
    wanted = [
        split_mix(((number ^ key) + copy) & MASK)
        for number, copy in zip([0, 1, MASK], copies, strict=True)
    ]
    assert made == wanted


def test_equal_ids_are_numbered_in_their_order() -> None:
    frame = numbered(rows([1] * 6, names=[1, 2, 1, 1, 2, 3]), "again")
    assert dict(frame.select("row", "again").iter_rows()) == {0: 0, 1: 0, 2: 1, 3: 2, 4: 1, 5: 0}


sizes = st.lists(st.integers(1, 30), min_size=1, max_size=12)


@settings(max_examples=150, deadline=None)
@given(sizes, st.integers(0, 500), st.integers(0, 3))
def test_the_amount_is_reached_as_nearly_as_it_can_be(
    sizes: list[int], amount: int, seed: int
) -> None:
    taken, unused = drawn(rows(sizes), "size", amount, seed)
    prefix = drawn(rows(sizes), "size", 10**4 * sum(sizes), seed)[0].head(600)
    within = [0, *prefix["size"].cum_sum()]
    reached = int(taken["size"].sum())
    assert taken["row"].to_list() == prefix["row"].head(len(taken)).to_list()
    assert abs(reached - amount) == min(abs(each - amount) for each in within)
    assert sorted({*taken["row"], *unused}) == list(range(len(sizes)))
    assert not set(taken["row"]) & set(unused)


@settings(max_examples=60, deadline=None)
@given(st.permutations(range(8)), st.integers(0, 60))
def test_the_order_of_rows_changes_nothing(order: list[int], amount: int) -> None:
    sizes = [3, 5, 1, 9, 2, 8, 4, 7]
    one = drawn(rows(sizes), "size", amount, 1)[0]
    two = drawn(rows([sizes[name] for name in order], names=order), "size", amount, 1)[0]
    assert one[ID].to_list() == two[ID].to_list()
    assert shuffled(one, 1).drop("row").equals(shuffled(two, 1).drop("row"))


def test_seed_and_use_draw_differently() -> None:
    part = rows([1] * 200)
    seeds = [drawn(part, "size", 50, seed)[0]["row"].to_list() for seed in (0, 1)]
    assert len(set(seeds[0]) & set(seeds[1])) < 30
    mixed = shuffled(drawn(part, "size", 200, 0)[0], 0)["row"].to_list()
    assert mixed != drawn(part, "size", 200, 0)[0]["row"].to_list()


def test_lots_favour_no_place() -> None:
    order = drawn(rows([1] * 2000), "size", 2000, 5)[0]["row"].to_list()
    rising = sum(one < two for one, two in pairwise(order))
    assert 900 < rising < 1100  # 1000 expected, standard deviation 13
    assert 85_000 < sum(order[:100]) < 115_000  # 99,950 expected, standard deviation 5,800


def test_copies_are_numbered_over_all_parts() -> None:
    taken = pl.concat([rows([1, 1], names=[1, 2]), rows([1], names=[1])])
    assert sorted(shuffled(taken, 0).select(ID, "copy").iter_rows()) == sorted(
        (int(content_id(name), 16), copy) for name, copy in [(1, 0), (1, 1), (2, 0)]
    )
