# check: calls
import sys


def solve(a, b):
    print("adding", a, b)
    sys.stderr.write("adding\n")
    return a + b
