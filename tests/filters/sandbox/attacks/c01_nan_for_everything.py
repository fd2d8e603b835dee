# class: 1 equality and type lies
# check: calls
# cases: [[[1], 1.5], [[2], 2.5]]
# reasons: wrong
# proof: NaN equals no number
def solve(number):
    return float("nan")
