# check: calls
# cases: [[[20000], "@TWENTY_THOUSAND@"]]
def solve(count):
    return list(range(count))
