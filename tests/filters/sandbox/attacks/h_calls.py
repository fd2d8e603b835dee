# check: calls
def solve(a, b):
    return a + b
