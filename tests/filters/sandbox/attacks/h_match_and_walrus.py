# check: calls
def solve(a, b):
    match [a, b]:
        case [int(x), int(y)] if (total := x + y) is not None:
            return total
