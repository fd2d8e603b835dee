# class: 3 forging the channel
# check: calls
# reasons: protocol_violation
# proof: false is no number of a case
import os

for descriptor in range(3, 64):
    try:
        os.write(descriptor, b'[false,"value",5]\n[true,"value",6]\n["end",2]\n')
    except OSError:
        pass
os._exit(0)
