# class: 11 time
# check: calls
# reasons: timeout
# proof: killed at the CPU limit
def solve(a, b):
    while True:
        pass
