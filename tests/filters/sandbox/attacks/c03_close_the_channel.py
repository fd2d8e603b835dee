# class: 3 forging the channel
# check: calls
# reasons: no_result runtime_error protocol_violation
# proof: without the channel there is no result
import os

os.closerange(3, 1024)


def solve(a, b):
    return a + b
