# check: calls
# cases: [[[3], [0, 1, 4]], [[0], []]]
def squares(count):
    for number in range(count):
        yield number * number


def solve(count):
    return list(squares(count))
