# class: 12 what the parent must read
# check: calls
# reasons: wrong runtime_error timeout output_limit memory
# proof: a list that holds itself, twice, is no value
def solve(a, b):
    found = []
    found.append(found)
    found.append({"self": found})
    return found
