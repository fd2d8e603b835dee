# class: 11 time
# check: calls
# reasons: timeout
# proof: quadratic conversions with the limit on digits switched off are killed
import sys

sys.set_int_max_str_digits(0)


def solve(a, b):
    return len(str(int("9" * 3_000_000)))
