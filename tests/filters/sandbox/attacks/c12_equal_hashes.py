# class: 12 what the parent must read
# check: calls
# cases: [[[1], {"a": 1}], [[2], {"a": 2}]]
# reasons: wrong protocol_violation
# proof: numbers that all hash alike cost the parent no quadratic time
import os


def solve(number):
    prime = (1 << 61) - 1
    pairs = b",".join(b'[{"int":"%s"},0]' % hex(step * prime).encode() for step in range(1, 1700))
    os.write(3, b'[0,"value",{"dict":[' + pairs + b"]}]\n")
    os._exit(0)
