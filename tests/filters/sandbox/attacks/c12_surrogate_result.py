# class: 12 what the parent must read
# check: calls
# cases: [[[1], "a"], [[2], "b"]]
# reasons: wrong runtime_error protocol_violation
# proof: text that cannot be encoded is a value like any other
def solve(number):
    return "\ud800\udfff\ud800"
