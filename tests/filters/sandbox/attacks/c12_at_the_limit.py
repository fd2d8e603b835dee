# class: 12 what the parent must read
# check: calls
# reasons: output_limit wrong no_result protocol_violation
# proof: a result that the limit cuts in the middle is none
def solve(a, b):
    return "x" * (@OUTPUT_KB@ * 1024 - 20 * a)
