# class: 2 early or dirty exit
# check: calls
# reasons: runtime_error
# proof: what does not compile is the program's fault
def solve(a, b)
    return a + b
