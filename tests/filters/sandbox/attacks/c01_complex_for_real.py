# class: 1 equality and type lies
# check: calls
# reasons: wrong
# proof: a complex number is no integer, even where Python calls them equal
class Sly(complex):
    def __eq__(self, other):
        return True


def solve(a, b):
    return Sly(a + b, 1)
