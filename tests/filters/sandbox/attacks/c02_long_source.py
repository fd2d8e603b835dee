# class: 12 what the parent must read
# check: calls
# reasons: wrong runtime_error memory timeout
# proof: ten megabytes of source reach the sandbox or are refused with a verdict
x = "@TEN_MEGABYTES@"


def solve(a, b):
    return 0
