# class: 11 time
# check: calls
# reasons: timeout
# proof: a loop in C is killed
def solve(a, b):
    return sum(range(10**13))
