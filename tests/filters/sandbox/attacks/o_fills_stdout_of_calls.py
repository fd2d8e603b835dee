# class: 12 what the parent must read
# check: calls
# odd: yes
# reasons: output_limit pass
# proof: right values beside a flood
def solve(a, b):
    print("x" * 10_000_000)
    return a + b
