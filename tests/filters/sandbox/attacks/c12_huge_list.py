# class: 12 what the parent must read
# check: calls
# reasons: output_limit memory timeout
# proof: a long list ends at a limit
def solve(a, b):
    return [0] * 10_000_000
