# class: 12 what the parent must read
# check: calls
# reasons: output_limit protocol_violation
# proof: a hundred thousand short lines are read in linear time
import os


def solve(a, b):
    lines = b'[0,"value",5]\n' * 4000
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, lines)
        except OSError:
            pass
    os._exit(0)
