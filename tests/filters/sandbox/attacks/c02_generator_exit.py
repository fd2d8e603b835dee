# class: 2 early or dirty exit
# check: calls
# reasons: runtime_error
# proof: exceptions outside of Exception count as raised
def solve(a, b):
    raise GeneratorExit
