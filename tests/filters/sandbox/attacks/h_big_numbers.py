# check: calls
# cases: [[[2, 200], 1606938044258990275541962092341162602522202993782792835301376], [[2, 2], 4]]
def solve(base, exponent):
    sum(range(base**16))
    return base**exponent
