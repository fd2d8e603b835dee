# class: 12 what the parent must read
# check: calls
# reasons: protocol_violation wrong
# proof: sixty thousand plain digits in the channel cost nothing
import os


def solve(a, b):
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b'[0,"value",' + b"9" * 60_000 + b"]\n")
        except OSError:
            pass
    os._exit(0)
