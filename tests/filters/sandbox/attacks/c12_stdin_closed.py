# class: 12 what the parent must read
# check: stdio
# cases: [["@LONG_INPUT@", "5\n"]]
# reasons: wrong no_result runtime_error
# proof: a program that closes its input early breaks no pipe of ours
import os

os.close(0)
print(4)
