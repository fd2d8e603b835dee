# class: 12 what the parent must read
# check: calls
# reasons: wrong runtime_error
# proof: nesting through keys and values comes out as no value
def solve(a, b):
    found = ()
    for _ in range(50_000):
        found = {"k": (found,)}
    return found
