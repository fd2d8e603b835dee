# class: 3 forging the channel
# check: calls
# reasons: wrong protocol_violation no_result runtime_error
# proof: the harness's own functions say no more than the program could
import os
import sys


def solve(a, b):
    frame = sys._getframe()
    while frame is not None:
        names = frame.f_globals
        for function in [value for name, value in list(names.items()) if "tell" in name or "send" in name]:
            try:
                function([0, "value", 5])
                function([1, "value", 6])
                function(["end", 2])
            except (TypeError, OSError):
                pass
        frame = frame.f_back
    os._exit(0)
