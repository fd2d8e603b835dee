# class: 2 early or dirty exit
# check: calls
# reasons: runtime_error
# proof: text that is no UTF-8 reaches the compiler or is refused: a verdict either way
def solve(a, b):
    return "@SURROGATE@"
