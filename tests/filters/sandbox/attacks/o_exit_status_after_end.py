# class: 2 early or dirty exit
# check: calls
# odd: yes
# reasons: pass runtime_error
# proof: atexit code that ends the process dirtily after right values
import atexit
import os

atexit.register(os._exit, 7)


def solve(a, b):
    return a + b
