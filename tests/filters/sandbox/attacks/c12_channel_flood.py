# class: 12 what the parent must read
# check: calls
# reasons: output_limit protocol_violation
# proof: the parent stops reading at the limit
import os


def solve(a, b):
    while True:
        for descriptor in range(3, 64):
            try:
                os.write(descriptor, b"x" * 65536)
            except OSError:
                pass
