# class: 12 what the parent must read
# check: calls
# reasons: wrong output_limit
# proof: a number beyond Python's limit on digits is compared as it is
def solve(a, b):
    return 10**60_000
