# class: 8 processes
# check: calls
# reasons: timeout
# proof: who closes every pipe and sleeps on is ended at the wall limit
import os
import time


def solve(a, b):
    os.closerange(0, 256)
    while True:
        time.sleep(60)
