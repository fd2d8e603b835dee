# class: 1 equality and type lies
# check: calls
# reasons: wrong
# proof: what only behaves like a number is none
class Number:
    def __init__(self, value):
        self.value = value

    def __index__(self):
        return self.value

    def __int__(self):
        return self.value

    def __float__(self):
        return float(self.value)

    def __eq__(self, other):
        return self.value == other

    def __hash__(self):
        return hash(self.value)


def solve(a, b):
    return Number(a + b)
