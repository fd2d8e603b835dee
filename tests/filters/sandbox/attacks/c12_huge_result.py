# class: 12 what the parent must read
# check: calls
# reasons: output_limit memory
# proof: two hundred megabytes of result end at a limit
def solve(a, b):
    return "x" * 200_000_000
