# class: 3 forging the channel
# check: calls
# reasons: wrong protocol_violation no_result runtime_error timeout
# proof: running the harness's serving loop again serves nobody
import sys


def solve(a, b):
    frame = sys._getframe()
    while frame is not None:
        serve = frame.f_globals.get("serve")
        frame = frame.f_back
        if callable(serve):
            serve([])
    return 0
