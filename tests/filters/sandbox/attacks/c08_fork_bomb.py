# class: 8 processes
# check: calls
# reasons: wrong runtime_error timeout
# proof: not one process more
import os


def solve(a, b):
    if os.path.exists("@WITNESS@"):  # not isolated: a bomb would cost this machine
        return a + b
    made = 0
    for _ in range(1000):
        try:
            if os.fork() == 0:
                os._exit(0)
            made += 1
        except OSError:
            pass
    return a + b if made else "blocked"
