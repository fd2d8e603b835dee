# class: 1 equality and type lies
# check: calls
# cases: [[[4], true], [[5], false]]
# reasons: wrong
# proof: 1 is not True
def solve(number):
    return 1 if number % 2 == 0 else 0
