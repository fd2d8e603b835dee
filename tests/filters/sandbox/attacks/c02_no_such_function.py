# class: 2 early or dirty exit
# check: calls
# reasons: runtime_error several_programs
# proof: no entry point
def solution(a, b):
    return a + b
