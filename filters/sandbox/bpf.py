"""Compiles answers to system calls into a filter: a program of classic BPF for seccomp.

A filter sees the architecture, the number and the six arguments of a call, not what an argument
points to. It kills the process of a call by the rules of another architecture, whose numbers mean
other calls. The number is found by binary search over ranges of numbers with the same answer, so
the filter has about nine comparisons to make; conditions on arguments follow where it ends.

Instructions and data are laid out as in `linux/filter.h` and `linux/seccomp.h`. What is allowed is
decided in `seccomp.py`.
"""

from __future__ import annotations

import errno
import itertools
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

# What a filter returns. An error number goes into the lower half of ERRNO.
KILL_PROCESS: Final = 0x8000_0000
ERRNO: Final = 0x0005_0000
ALLOWED: Final = 0x7FFF_0000

# Instructions: an operation, how far to jump if true and if false, and a constant.
LOAD: Final = 0x20
"""BPF_LD | BPF_W | BPF_ABS: a 32-bit word of the data."""
AND: Final = 0x54
JUMP: Final = 0x05
JUMP_EQUAL: Final = 0x15
JUMP_AT_LEAST: Final = 0x35
RETURN: Final = 0x06
_INSTRUCTION: Final = struct.Struct("<HBBI")
_NEAR: Final = 250
"""A comparison can skip 255 instructions; some are kept for what is written on the way to it."""

# `struct seccomp_data`: number, architecture, address of the instruction, arguments of 64 bits.
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16

X32: Final = 0x4000_0000
"""Numbers from here on are calls by the x32 rules of x86_64; no machine has others."""
_WORD: Final = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Condition:
    """A word of an argument, under a mask, is one of these.

    The lower word is all of an argument that the kernel takes as `int` or `unsigned int`; a pointer
    needs a condition for each of its words.

    Raises:
        ValueError: no word could meet it.
    """

    argument: int
    one_of: tuple[int, ...]
    mask: int = _WORD
    upper: bool = False

    def __post_init__(self) -> None:
        if not self.one_of or any(value & ~self.mask for value in self.one_of):
            raise ValueError(f"{self} can never hold: give values that lie within the mask")


@dataclass(frozen=True, slots=True)
class Allow:
    """The call is made if all conditions hold; else it fails with an error number."""

    conditions: tuple[Condition, ...] = ()
    otherwise: int = errno.EPERM


@dataclass(frozen=True, slots=True)
class Refuse:
    """The call is not made and gives this error number; 0 claims that it succeeded."""

    error: int = errno.EPERM


Answer = Allow | Refuse


def compiled(architecture: int, answers: Mapping[int, Answer], last: int) -> bytes:
    """A filter as an array of `struct sock_filter`.

    Args:
        architecture: `AUDIT_ARCH_*`; calls by the rules of any other kill the process.
        answers: by number of the system call; those without one are refused with EPERM.
        last: the highest number that is known. Higher ones fail with ENOSYS, as on a kernel that
            does not have them: libraries then use an older call, and on EPERM they would not.
    """
    known = [(number, answers.get(number, Refuse())) for number in range(last + 1)]
    ranges = [
        (next(group)[0], answer)
        for answer, group in itertools.groupby(known, key=lambda pair: pair[1])
    ]
    code = _Code()
    search = _search(code, [*ranges, (last + 1, Refuse(errno.ENOSYS))])
    code.branch(JUMP_AT_LEAST, X32, code.returning(KILL_PROCESS), search)
    number = code.load(_NUMBER)
    code.branch(JUMP_EQUAL, architecture, number, code.returning(KILL_PROCESS))
    code.load(_ARCHITECTURE)
    return code.assembled()


class _Code:
    """Instructions written from the last to the first: what one jumps to is there already.

    A place is the number of instructions after it, so it stays the same while more are written.
    """

    def __init__(self) -> None:
        self._backwards: list[bytes] = []
        self._returns: dict[int, int] = {}

    def assembled(self) -> bytes:
        return b"".join(reversed(self._backwards))

    def load(self, offset: int) -> int:
        return self._write(LOAD, offset)

    def mask(self, mask: int) -> int:
        return self._write(AND, mask)

    def branch(self, operation: int, value: int, if_true: int, if_false: int) -> int:
        """Compare the word that was loaded; both ways lead on from here."""
        true, false = self._near(if_true), self._near(if_false)
        here = len(self._backwards)
        return self._write(operation, value, here - true - 1, here - false - 1)

    def returning(self, result: int) -> int:
        """The place that returns this, which all who return it share if it is near."""
        place = self._returns.get(result)
        if place is None or self._distance(place) > _NEAR:
            place = self._returns[result] = self._write(RETURN, result)
        return place

    def _near(self, place: int) -> int:
        """This place, or that of a jump to it where it is too far for a comparison."""
        far = self._distance(place)
        return place if far <= _NEAR else self._write(JUMP, far)

    def _distance(self, place: int) -> int:
        return len(self._backwards) - place - 1

    def _write(self, operation: int, value: int, if_true: int = 0, if_false: int = 0) -> int:
        self._backwards.append(_INSTRUCTION.pack(operation, if_true, if_false, value))
        return len(self._backwards) - 1


def _search(code: _Code, ranges: Sequence[tuple[int, Answer]]) -> int:
    """Find the range of the loaded number and answer; ranges are given by their first number."""
    if len(ranges) == 1:
        return _answered(code, ranges[0][1])
    middle = len(ranges) // 2
    above, below = _search(code, ranges[middle:]), _search(code, ranges[:middle])
    return code.branch(JUMP_AT_LEAST, ranges[middle][0], above, below)


def _answered(code: _Code, answer: Answer) -> int:
    if isinstance(answer, Refuse):
        return code.returning(ERRNO | answer.error)
    place = code.returning(ALLOWED)
    for condition in reversed(answer.conditions):
        place = _checked(code, condition, place, code.returning(ERRNO | answer.otherwise))
    return place


def _checked(code: _Code, condition: Condition, if_true: int, if_false: int) -> int:
    offset = _ARGUMENTS + 8 * condition.argument + (4 if condition.upper else 0)
    place = if_false
    for value in reversed(condition.one_of):
        place = code.branch(JUMP_EQUAL, value, if_true, place)
    if condition.mask != _WORD:
        code.mask(condition.mask)
    return code.load(offset)
