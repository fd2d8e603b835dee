# class: 8 processes
# check: calls
# reasons: timeout
# proof: what ignores every signal it can is killed by one that it cannot
import signal

for number in signal.valid_signals():
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


def solve(a, b):
    while True:
        pass
