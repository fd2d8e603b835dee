# class: 3 forging the channel
# check: calls
# reasons: protocol_violation no_result
# proof: half a line is none
import os

for descriptor in range(3, 64):
    try:
        os.write(descriptor, b'[0,"value",5]\n[1,"value",6]\n["end",2')
    except OSError:
        pass
os._exit(0)
