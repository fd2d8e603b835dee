# class: 2 early or dirty exit
# check: inside
# reasons: no_result runtime_error
# proof: leaving while the checks run is not passing them
import os


def solve(a, b):
    os._exit(0)
