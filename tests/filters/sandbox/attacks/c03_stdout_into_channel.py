# class: 3 forging the channel
# check: calls
# reasons: protocol_violation no_result wrong runtime_error
# proof: what is printed into the channel is no value
import os

for descriptor in range(3, 64):
    try:
        os.dup2(1, descriptor)
        os.dup2(descriptor, 1)
    except OSError:
        pass


def solve(a, b):
    print('[0,"value",5]')
    return 0
