# class: 3 forging the channel
# check: stdio
# reasons: wrong no_result protocol_violation runtime_error
# proof: a script has no channel but its own output
import os

for descriptor in range(3, 64):
    try:
        os.write(descriptor, b'5\n[0,"value",true]\n["end",1]\n')
    except OSError:
        pass
