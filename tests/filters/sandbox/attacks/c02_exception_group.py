# class: 2 early or dirty exit
# check: calls
# reasons: runtime_error
# proof: a group of exceptions, one of them SystemExit, is one exception
def solve(a, b):
    raise BaseExceptionGroup("many", [ValueError(1), SystemExit(0), KeyboardInterrupt()])
