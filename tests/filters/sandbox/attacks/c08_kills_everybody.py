# class: 8 processes
# check: calls
# reasons: wrong
# proof: signals to others are refused: the next program runs
import os
import signal


def solve(a, b):
    if os.path.exists("@WITNESS@"):  # not isolated: kill(-1) would cost this machine
        return a + b
    done = []
    for process in (-1, 0, 1, 2, 3, os.getppid(), -os.getpgid(0)):
        for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM):
            try:
                os.kill(process, number)
                done.append(process)
            except OSError:
                pass
    return a + b if done else "blocked"
