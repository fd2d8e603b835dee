# class: 8 processes
# check: calls
# reasons: timeout wrong runtime_error
# proof: a program that stops itself is no program that has finished
import os
import signal


def solve(a, b):
    try:
        signal.raise_signal(signal.SIGSTOP)
    except OSError:
        os.kill(os.getpid(), signal.SIGSTOP)
    return 0
