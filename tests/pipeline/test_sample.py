"""Ids are content: reordering renames nothing, equal rows are told apart and never dropped."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from potstill.pipeline.sample import Generation, Message, Sample, new_sample, with_ids

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
samples = st.builds(
    lambda question, completion, answer: new_sample(
        (Message("user", question),), completion=completion, answer=answer
    ),
    texts,
    st.none() | texts,
    st.none() | texts,
)


@given(st.lists(samples, max_size=12), st.randoms(use_true_random=False))
def test_reordering_keeps_the_set_of_ids(rows: list[Sample], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    ids, again = ([s.id for s in with_ids(order)] for order in (rows, shuffled))
    assert sorted(ids) == sorted(again)
    assert len(set(ids)) == len(rows), "equal rows have their own ids"


@given(samples)
def test_a_row_survives_the_way_to_plain_values_and_back(sample: Sample) -> None:
    assert Sample.from_row(sample.to_row()) == sample


def test_samples_of_one_problem_share_the_prompt_id_and_differ_by_index() -> None:
    prompt = (Message("user", "1+1?"),)
    made = [
        new_sample(
            prompt,
            completion="2",
            generation=Generation("t", "r", "key", index, 1, "stop", 3, 1),
        )
        for index in range(2)
    ]
    first, second = with_ids(made)
    assert first.prompt_id == second.prompt_id
    assert first.id != second.id
    assert Sample.from_row(first.to_row()) == first


def test_the_question_is_the_last_user_turn() -> None:
    turns = (Message("user", "a"), Message("assistant", "b"), Message("user", "c"))
    assert new_sample(turns).question == "c"
