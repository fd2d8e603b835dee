# class: 3 forging the channel
# check: calls
# reasons: protocol_violation wrong no_result runtime_error
# proof: results written by the program itself do not replace those of the calls
import os

FORGED = b'[0,"value",5]\n[1,"value",6]\n["end",2]\n'


def solve(a, b):
    for descriptor in range(3, 256):
        try:
            os.write(descriptor, FORGED)
        except OSError:
            pass
    return 0
