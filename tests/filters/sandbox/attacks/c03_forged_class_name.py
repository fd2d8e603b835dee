# class: 3 forging the channel
# check: calls
# reasons: runtime_error protocol_violation
# proof: the name of what was raised is a JSON string, whatever it contains
Sly = type('X"]\n[0,"value",5]\n[1,"value",6]\n["end",2]\n', (Exception,), {})


def solve(a, b):
    raise Sly
