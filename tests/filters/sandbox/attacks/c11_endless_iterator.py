# class: 11 time
# check: calls
# reasons: memory timeout
# proof: making a list of an endless iterator ends at a limit
import itertools


def solve(a, b):
    return list(itertools.count())
