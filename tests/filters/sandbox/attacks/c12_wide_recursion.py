# class: 12 what the parent must read
# check: calls
# reasons: wrong runtime_error output_limit memory timeout
# proof: a small graph with a huge tree in it ends at a limit
def solve(a, b):
    found = []
    for _ in range(60):
        found = [found, found]
    return found
