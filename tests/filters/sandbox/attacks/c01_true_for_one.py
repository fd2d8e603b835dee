# class: 1 equality and type lies
# check: calls
# cases: [[[4], 1], [[5], 0]]
# reasons: wrong
# proof: True is not 1
def solve(number):
    return number % 2 == 0
