# class: 3 forging the channel
# check: calls
# reasons: protocol_violation
# proof: 0.0 is no number of a case
import os

for descriptor in range(3, 64):
    try:
        os.write(descriptor, b'[0.0,"value",5]\n[1.0,"value",6]\n["end",2.0]\n')
    except OSError:
        pass
os._exit(0)
