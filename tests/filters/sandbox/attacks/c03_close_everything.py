# class: 3 forging the channel
# check: calls
# reasons: no_result runtime_error protocol_violation wrong
# proof: with every descriptor closed there is a verdict, and the next program has its own
import os


def solve(a, b):
    if a == 10:
        os.closerange(0, 1024)
    return a + b
