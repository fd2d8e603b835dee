# class: 8 processes
# check: calls
# reasons: wrong
# proof: the whole user or process group cannot be slowed down
import os


def solve(a, b):
    done = []
    for which, who in ((os.PRIO_USER, 0), (os.PRIO_USER, 65534), (os.PRIO_PGRP, 0)):
        try:
            os.setpriority(which, who, 19)
            done.append(which)
        except OSError:
            pass
    return a + b if done else "blocked"
