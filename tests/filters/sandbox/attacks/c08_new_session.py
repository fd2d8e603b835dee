# class: 8 processes
# check: calls
# reasons: timeout
# proof: leaving the process group or session hides from nobody
import os


def solve(a, b):
    for act in (os.setsid, os.setpgrp):
        try:
            act()
        except OSError:
            pass
    while True:
        pass
