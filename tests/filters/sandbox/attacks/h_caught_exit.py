# check: calls
import sys


def solve(a, b):
    try:
        sys.exit(1)
    except SystemExit:
        return a + b
