# class: 2 early or dirty exit
# check: calls
# reasons: runtime_error
# proof: a null byte in the source is a syntax error, no end of the program
def solve(a, b):
    return a + b


x = "@NUL@"
