# class: 11 time
# check: calls
# reasons: runtime_error timeout wrong no_result
# proof: stdin of a called function is empty, and reading from it does not wait for ever
import sys


def solve(a, b):
    sys.stdin.read()
    return input()
