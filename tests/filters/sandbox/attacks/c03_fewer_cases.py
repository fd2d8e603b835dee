# class: 3 forging the channel
# check: calls
# reasons: protocol_violation no_result
# proof: an end that counts fewer cases than were asked is no end
import os


def solve(a, b):
    return a + b


for descriptor in range(3, 64):
    try:
        os.write(descriptor, b'[0,"value",5]\n["end",1]\n')
    except OSError:
        pass
os._exit(0)
