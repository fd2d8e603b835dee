# class: 12 what the parent must read
# check: calls
# reasons: output_limit protocol_violation no_result
# proof: a line just below the limit is read, and is no JSON
import os


def solve(a, b):
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b"[" * 60_000)
        except OSError:
            pass
    os._exit(0)
