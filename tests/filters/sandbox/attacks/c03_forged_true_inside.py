# class: 3 forging the channel
# check: inside
# weak: yes
# reasons: pass wrong protocol_violation no_result
# proof: where asserts run beside the program it can lie, and the evidence says in_process
import os

for descriptor in range(3, 64):
    try:
        os.write(descriptor, b'[0,"value",true]\n["end",1]\n')
    except OSError:
        pass
os._exit(0)
