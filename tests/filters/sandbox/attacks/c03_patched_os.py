# class: 3 forging the channel
# check: calls
# reasons: wrong protocol_violation no_result runtime_error
# proof: a replaced os.write forges only what a program could forge anyway
import os

write = os.write


def forged(descriptor, data):
    write(descriptor, b'[0,"value",5]\n[0,"value",6]\n["end",2]\n')
    return len(data)


os.write = os.writev = forged
os._exit = lambda code: None


def solve(a, b):
    return 0
