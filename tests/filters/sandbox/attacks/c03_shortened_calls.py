# class: 3 forging the channel
# check: calls
# reasons: wrong protocol_violation no_result runtime_error
# proof: emptying the harness's own list of cases leaves too few results
import sys


def empty_everything(frame):
    while frame is not None:
        for value in list(frame.f_locals.values()) + list(frame.f_globals.values()):
            if type(value) is list and value is not sys.path:
                value.clear()
            if type(value) is dict and "calls" in value:
                value["calls"] = []
        frame = frame.f_back


def solve(a, b):
    empty_everything(sys._getframe(1))
    return 5
