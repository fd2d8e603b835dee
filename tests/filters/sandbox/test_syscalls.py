"""The tables of system calls against the kernel's own headers, where those are installed."""

from __future__ import annotations

import platform
import re
from pathlib import Path

import pytest

from potstill.filters.sandbox.syscalls import MACHINES, UnsupportedMachine, machine_named

HEADERS = {
    "x86_64": (
        "/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
        "/usr/include/asm/unistd_64.h",
    ),
    "aarch64": ("/usr/include/asm-generic/unistd.h",),
}
ONLY_FOR_32_BITS = range(403, 424)
"""Numbers that no 64-bit machine has: times beyond 2038."""


def defined(text: str) -> dict[str, int]:
    """Numbers by name; of names with two the first, which is the one for 64 bits."""
    numbers = {
        name: int(number)
        for name, number in re.findall(r"^#define __NR(3264_\w+|_\w+)\s+(\d+)$", text, re.M)
    }
    found = {name[1:]: number for name, number in numbers.items() if name.startswith("_")}
    for name, shared in re.findall(r"^#define __NR_(\w+)\s+__NR(3264_\w+)$", text, re.M):
        if shared in numbers and numbers[shared] not in found.values():
            found[name] = numbers[shared]
    return found


@pytest.mark.parametrize("machine", sorted(MACHINES))
def test_numbers_are_those_of_the_kernel(machine: str) -> None:
    header = next((Path(each) for each in HEADERS[machine] if Path(each).exists()), None)
    if header is None:
        pytest.skip(f"no kernel header for {machine} among {HEADERS[machine]}: linux-libc-dev")
    found = defined(header.read_text())
    table = MACHINES[machine].numbers
    assert len(found) > 250
    last = max(table.values())
    left_out = {
        name
        for name, number in found.items()
        if name not in table and number <= last and number not in ONLY_FOR_32_BITS
    }
    # The first of a range, the count, and another machine's name for a number.
    assert left_out <= {"arch_specific_syscall", "syscalls", "sync_file_range2"}
    assert {name: number for name, number in table.items() if found.get(name) != number} == {}


@pytest.mark.parametrize("machine", sorted(MACHINES))
def test_each_number_has_one_name(machine: str) -> None:
    numbers = MACHINES[machine].numbers.values()
    assert len(set(numbers)) == len(numbers)


def test_calls_that_all_machines_number_alike() -> None:
    """From 424 on the kernel gives new calls the same number everywhere."""
    new = [
        {name: number for name, number in machine.numbers.items() if number >= 424}
        for machine in MACHINES.values()
    ]
    assert len(new[0]) > 20
    assert all(each == new[0] for each in new)


@pytest.mark.parametrize("name", ["riscv64", "i686", "armv7l", "aarch64_be", ""])
def test_another_machine_is_named_in_the_error(name: str) -> None:
    with pytest.raises(UnsupportedMachine, match=f"machine '{name}'.*aarch64, x86_64"):
        machine_named(name)


def test_the_machine_we_run_on_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, machine in MACHINES.items():
        monkeypatch.setattr(platform, "machine", lambda name=name: name)
        assert machine_named() is machine
