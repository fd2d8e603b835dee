# class: 11 time
# check: calls
# reasons: runtime_error memory timeout
# proof: with the limit lifted the stack or the memory ends it
import sys

sys.setrecursionlimit(10**9)


class Deep:
    def __eq__(self, other):
        return self == other


def solve(a, b):
    return Deep() == Deep()
