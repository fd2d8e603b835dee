# class: 11 time
# check: calls
# reasons: timeout memory
# proof: a computation in C that checks for no signal is killed
def solve(a, b):
    return 7 ** (7**12) % 10
