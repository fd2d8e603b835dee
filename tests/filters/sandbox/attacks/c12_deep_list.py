# class: 12 what the parent must read
# check: calls
# reasons: wrong runtime_error
# proof: nesting that would exhaust the parent's stack comes out as no value
def solve(a, b):
    found = []
    for _ in range(100_000):
        found = [found]
    return found
