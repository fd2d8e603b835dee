# class: 1 equality and type lies
# check: calls
# cases: [[[1], 1.5], [[2], 1e308]]
# tolerance: 0.001
# reasons: wrong
# proof: an infinite value is within no tolerance of a finite one
def solve(number):
    return number + 0.5 if number == 1 else float("inf")
