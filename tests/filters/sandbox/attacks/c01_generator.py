# class: 1 equality and type lies
# check: calls
# cases: [[[3], [0, 1, 2]], [[2], [0, 1]]]
# reasons: wrong
# proof: a generator is no list, and is not consumed for one
def solve(count):
    yield from range(count)
