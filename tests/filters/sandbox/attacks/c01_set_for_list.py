# class: 1 equality and type lies
# check: calls
# cases: [[[[3, 1, 1]], [1, 3]], [[[2, 2]], [2]]]
# reasons: wrong
# proof: a set has no order to compare
def solve(numbers):
    return set(numbers)
