# class: 2 early or dirty exit
# check: calls
# reasons: no_result runtime_error
# proof: the first case was right, the second never answered
import sys


def solve(a, b):
    if a == 2:
        return 5
    sys.exit(0)
