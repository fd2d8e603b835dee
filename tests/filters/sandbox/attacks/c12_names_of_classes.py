# class: 12 what the parent must read
# check: calls
# reasons: runtime_error
# proof: a megabyte of name, and one that is no text, reach the evidence cut and clean
def solve(a, b):
    if a == 2:
        raise type("\x1b[2J\u202e" + "x" * 1_000_000, (Exception,), {})
    return type("\ud800", (), {})()
