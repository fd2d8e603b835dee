# class: 2 early or dirty exit
# check: calls
# reasons: wrong no_result runtime_error
# proof: wrong values stay wrong whatever atexit code does with the exit status
import atexit
import os

atexit.register(os._exit, 0)


def solve(a, b):
    return 4
