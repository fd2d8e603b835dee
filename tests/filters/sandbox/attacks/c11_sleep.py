# class: 11 time
# check: calls
# reasons: timeout
# proof: killed at the wall limit
import time


def solve(a, b):
    time.sleep(1e6)
