# class: 3 forging the channel
# check: calls
# reasons: wrong
# proof: a result with __reduce__ is no value, and no file appears
import os


class Writes:
    def __reduce__(self):
        return (os.system, ("touch @WITNESS@/reduced",))

    __copy__ = __deepcopy__ = __getstate__ = __reduce__


def solve(a, b):
    return Writes()
