# class: 1 equality and type lies
# check: calls
# reasons: wrong
# proof: "5" is not 5
def solve(a, b):
    return str(a + b)
