# class: 1 equality and type lies
# check: calls
# cases: [[[1], {"other": "builtins.object"}], [[2], null]]
# reasons: wrong
# proof: an object that cannot be sent equals no dict that names it
def solve(number):
    return object() if number == 1 else None
