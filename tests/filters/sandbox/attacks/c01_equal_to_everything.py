# class: 1 equality and type lies
# check: calls
# reasons: wrong
# proof: an object is no value, whatever its __eq__ says
class Anything:
    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    __hash__ = object.__hash__
    __bool__ = __lt__ = __le__ = __gt__ = __ge__ = lambda self, *other: True


def solve(a, b):
    return Anything()
