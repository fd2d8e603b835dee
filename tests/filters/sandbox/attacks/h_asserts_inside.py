# check: inside
def solve(a, b):
    return a + b
