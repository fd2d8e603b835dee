# class: 12 what the parent must read
# check: calls
# reasons: protocol_violation wrong
# proof: forged nesting is refused, and the parent lives on
import os


def solve(a, b):
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b'[0,"value",' + b"[" * 20_000 + b"]" * 20_000 + b"]\n")
        except OSError:
            pass
    os._exit(0)
