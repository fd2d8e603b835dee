# class: 2 early or dirty exit
# check: calls
# reasons: runtime_error
# proof: died by a signal; no core file is left
import os


def solve(a, b):
    os.abort()
