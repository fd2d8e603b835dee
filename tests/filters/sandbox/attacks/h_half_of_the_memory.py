# check: calls
def solve(a, b):
    return a + b + len(bytearray(100 << 20)) - (100 << 20)
