# class: 2 early or dirty exit
# check: calls
# reasons: runtime_error memory
# proof: a source that exhausts the parser's stack kills nobody but itself
x = @MANY_PARENTHESES@


def solve(a, b):
    return a + b
