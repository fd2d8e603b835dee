# class: 4 searching for the answer
# check: calls
# cases: [[[1], "EXPECTED-@ANSWER@-1"], [[2], "EXPECTED-@ANSWER@-2"]]
# reasons: wrong
# proof: no frame of the harness holds an expected value
import re
import sys


def solve(number):
    frame = sys._getframe()
    while frame is not None:
        text = repr(frame.f_locals) + repr(frame.f_globals)
        if found := re.search(f"EXPECTED-[0-9a-f]{{32}}-{number}", text):
            return found[0]
        frame = frame.f_back
    return "nothing found"
