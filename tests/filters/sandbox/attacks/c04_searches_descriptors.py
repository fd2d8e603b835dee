# class: 4 searching for the answer
# check: calls
# cases: [[[1], "EXPECTED-@ANSWER@-1"], [[2], "EXPECTED-@ANSWER@-2"]]
# reasons: wrong no_result protocol_violation timeout
# proof: no inherited descriptor can be read for an expected value
import os
import re


def solve(number):
    for descriptor in range(256):
        try:
            os.set_blocking(descriptor, False)
            for attempt in (os.read, lambda fd, size: os.pread(fd, size, 0)):
                if found := re.search(rb"EXPECTED-[0-9a-f]{32}-%d" % number, attempt(descriptor, 1 << 20)):
                    return found[0].decode()
        except OSError:
            pass
    return "nothing found"
