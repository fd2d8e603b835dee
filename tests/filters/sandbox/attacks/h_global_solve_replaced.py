# check: calls
def solve(a, b):
    global solve
    solve = None
    return a + b
