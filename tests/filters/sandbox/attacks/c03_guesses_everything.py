# class: 3 forging the channel
# check: calls
# reasons: protocol_violation no_result
# proof: many values for one case: neither the first nor the last nor any counts
import os


def solve(a, b):
    return 0


for descriptor in range(3, 64):
    try:
        for guess in range(-20, 20):
            os.write(descriptor, b'[0,"value",%d]\n[1,"value",%d]\n' % (guess, guess))
        os.write(descriptor, b'["end",2]\n')
    except OSError:
        pass
os._exit(0)
