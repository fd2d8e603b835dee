# class: 11 time
# check: calls
# reasons: timeout
# proof: backtracking in C is killed
import re


def solve(a, b):
    return re.match(r"(a+)+$", "a" * 64 + "!") is not None
