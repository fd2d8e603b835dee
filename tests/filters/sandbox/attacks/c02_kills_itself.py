# class: 2 early or dirty exit
# check: calls
# reasons: wrong runtime_error no_result
# proof: a signal to oneself is refused or ends the process: never a pass
import os
import signal


def solve(a, b):
    try:
        signal.raise_signal(signal.SIGKILL)
    except OSError:
        os.kill(os.getpid(), signal.SIGKILL)
    return a + b + 1
