"""Filters do what the policy says, for every call by every machine's rules: compared by reading."""

from __future__ import annotations

import errno

import pytest
from filter_machine import answer
from hypothesis import given
from hypothesis import strategies as st

from potstill.filters.sandbox.bpf import Allow, Answer, Condition, Refuse, compiled
from potstill.filters.sandbox.seccomp import (
    NATIVE,
    PROGRAM,
    ZYGOTE,
    Policy,
    native_filter,
    program_filter,
    zygote_filter,
)
from potstill.filters.sandbox.syscalls import MACHINES

FILTERS = {
    (name, machine): (make(machine), policy)
    for machine in MACHINES
    for name, make, policy in (
        ("zygote", zygote_filter, ZYGOTE),
        ("program", program_filter, PROGRAM),
        ("native", native_filter, NATIVE),
    )
}
WORD = 1 << 32

values_of_conditions = sorted(
    {
        value
        for policy in (ZYGOTE, PROGRAM, NATIVE)
        for rule in policy.values()
        if isinstance(rule, Allow)
        for condition in rule.conditions
        for value in (*condition.one_of, condition.mask, condition.mask ^ (WORD - 1))
    }
)
words = st.sampled_from(values_of_conditions) | st.integers(0, WORD - 1)
arguments = st.lists(
    st.builds(lambda low, high: low | high << 32, words, st.just(0) | words), min_size=6, max_size=6
)
numbers = st.integers(0, 500) | st.integers(0, WORD - 1) | st.integers(2**30 - 2, 2**30 + 600)


def promised(rule: Answer, given_arguments: list[int]) -> str:
    """What the policy says of a call that it knows, read from the policy itself."""
    if isinstance(rule, Refuse):
        return errno.errorcode[rule.error] if rule.error else "done"
    for condition in rule.conditions:
        word = given_arguments[condition.argument]
        word = word // WORD if condition.upper else word % WORD
        if word & condition.mask not in condition.one_of:
            return errno.errorcode[rule.otherwise]
    return "allow"


@given(st.sampled_from(sorted(FILTERS)), numbers, arguments)
def test_a_filter_answers_as_its_policy(
    which: tuple[str, str], number: int, given_arguments: list[int]
) -> None:
    machine = MACHINES[which[1]]
    program, policy = FILTERS[which]
    names = {number: name for name, number in machine.numbers.items()}
    if number >= 2**30:
        expected = "kill"
    elif number > max(names):
        expected = "ENOSYS"
    else:
        expected = promised(policy.get(names.get(number, ""), Refuse()), given_arguments)
    assert answer(program, machine.audit_architecture, number, given_arguments) == expected


@pytest.mark.parametrize("which", sorted(FILTERS))
def test_every_name_of_a_policy_and_every_other(which: tuple[str, str]) -> None:
    program, policy = FILTERS[which]
    machine = MACHINES[which[1]]
    for name, number in machine.numbers.items():
        rule = policy.get(name, Refuse())
        found = answer(program, machine.audit_architecture, number)
        assert found == promised(rule, [0] * 6), name


@given(st.sampled_from(sorted(FILTERS)), st.integers(0, WORD - 1), numbers, arguments)
def test_rules_of_another_architecture_are_deadly(
    which: tuple[str, str], architecture: int, number: int, given_arguments: list[int]
) -> None:
    program, _ = FILTERS[which]
    if architecture != MACHINES[which[1]].audit_architecture:
        assert answer(program, architecture, number, given_arguments) == "kill"


@pytest.mark.parametrize("architecture", [0x40000003, 0x40000028, 0])
@pytest.mark.parametrize("which", sorted(FILTERS))
def test_32_bit_rules_are_deadly(which: tuple[str, str], architecture: int) -> None:
    for number in range(500):
        assert answer(FILTERS[which][0], architecture, number) == "kill"


@given(st.sampled_from(sorted(MACHINES)), numbers, arguments)
def test_what_a_program_may_do_its_starter_may(
    machine: str, number: int, given_arguments: list[int]
) -> None:
    """Filters are laid over each other and the strictest counts: the first must allow as much."""
    architecture = MACHINES[machine].audit_architecture
    if answer(program_filter(machine), architecture, number, given_arguments) == "allow":
        for outer in (zygote_filter, native_filter):
            assert answer(outer(machine), architecture, number, given_arguments) == "allow"


conditions = st.builds(
    lambda argument, picked, mask, upper: Condition(
        argument, tuple(value & mask for value in picked), mask, upper
    ),
    st.integers(0, 5),
    st.lists(st.integers(0, WORD - 1), min_size=1, max_size=12),
    st.just(WORD - 1) | st.integers(0, WORD - 1),
    st.booleans(),
)
rules = st.builds(Refuse, st.sampled_from([0, 1, 25, 38, 95])) | st.builds(
    Allow, st.lists(conditions, max_size=4).map(tuple), st.sampled_from([1, 25])
)


@given(
    st.dictionaries(st.integers(0, 400), rules, max_size=80),
    st.lists(st.tuples(st.integers(0, 450), arguments), max_size=10),
)
def test_any_policy_however_long(
    answers: dict[int, Answer], calls: list[tuple[int, list[int]]]
) -> None:
    """Long ones need jumps over more instructions than a comparison can skip."""
    program = compiled(7, answers, last=400)
    calls += [(number, [0] * 6) for number in answers]
    for number, given_arguments in calls:
        expected = promised(answers.get(number, Refuse()), given_arguments)
        expected = "ENOSYS" if number > 400 else expected
        assert answer(program, 7, number, given_arguments) == expected


def test_a_policy_of_which_comparisons_cannot_skip_the_parts() -> None:
    answers: dict[int, Answer] = {
        number: Allow((Condition(number % 6, tuple(range(number % 50 + 1))),))
        for number in range(60)
    }
    program = compiled(7, answers, last=100)
    assert len(program) // 8 > 4 * 255
    for number in range(101):
        for argument in (0, number % 50, number % 50 + 1):
            expected = "allow" if number < 60 and argument <= number % 50 else "EPERM"
            assert answer(program, 7, number, [argument] * 6) == expected


@pytest.mark.parametrize(("one_of", "mask"), [((), WORD - 1), ((2,), 1), ((1, 16), 0xF)])
def test_a_condition_that_nothing_can_meet_is_a_mistake(one_of: tuple[int, ...], mask: int) -> None:
    with pytest.raises(ValueError, match="can never hold"):
        Condition(0, one_of, mask)


@pytest.mark.parametrize("which", sorted(FILTERS))
def test_a_filter_is_short(which: tuple[str, str]) -> None:
    """The kernel translates it anew for every program: about 0.15 µs for each instruction."""
    policy: Policy
    program, policy = FILTERS[which]
    assert len(program) // 8 < 3 * len(policy)
    assert len(program) // 8 < 255
