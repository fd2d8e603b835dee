# class: 2 early or dirty exit
# check: calls
# reasons: runtime_error timeout no_result wrong
# proof: the default action of SIGALRM ends the process
import signal


def solve(a, b):
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    while True:
        pass
