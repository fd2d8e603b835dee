# class: 8 processes
# check: calls
# reasons: timeout
# proof: catching SIGXCPU buys no time and no result
import resource
import signal


def again(number, frame):
    solve(0, 0)


for name in ("SIGXCPU", "SIGPROF", "SIGVTALRM", "SIGALRM", "SIGTERM"):
    signal.signal(getattr(signal, name), again)
try:
    resource.setrlimit(resource.RLIMIT_CPU, resource.getrlimit(resource.RLIMIT_CPU)[1:] * 2)
except (OSError, ValueError):
    pass


def solve(a, b):
    while True:
        pass
