# class: 11 time
# check: calls
# reasons: runtime_error memory
# proof: recursion without end raises
def solve(a, b):
    return solve(a, b)
