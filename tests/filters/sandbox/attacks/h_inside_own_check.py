# check: inside
def check(a, b):
    return a >= b


def solve(a, b):
    return a + b if check(a, b) or check(b, a) else None
