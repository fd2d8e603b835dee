# class: 3 forging the channel
# check: calls
# reasons: wrong protocol_violation no_result
# proof: values written after the end, while the interpreter leaves, do not count
import atexit
import os


def forge():
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b'[0,"value",5]\n[1,"value",6]\n["end",2]\n')
        except OSError:
            pass


class Last:
    def __del__(self, forge=forge):
        forge()


atexit.register(forge)
last = Last()


def solve(a, b):
    return 0
