# class: 3 forging the channel
# check: calls
# reasons: protocol_violation wrong
# proof: the first line is not about the second case
import os

for descriptor in range(3, 64):
    try:
        os.write(descriptor, b'[1,"value",6]\n[0,"value",5]\n["end",2]\n')
    except OSError:
        pass
os._exit(0)
