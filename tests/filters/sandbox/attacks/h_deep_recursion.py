# check: calls
# cases: [[[50000], 50000], [[10], 10]]
import sys

sys.setrecursionlimit(10**6)


def solve(depth):
    return 0 if depth == 0 else 1 + solve(depth - 1)
