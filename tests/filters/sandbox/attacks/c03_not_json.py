# class: 3 forging the channel
# check: calls
# reasons: protocol_violation
# proof: what is no JSON line is a violation
import os

for descriptor in range(3, 64):
    try:
        os.write(descriptor, b'\x00\xff\xfe{"pass": true}\n\x80\x04\x95.\n[0,"value",5]\n')
    except OSError:
        pass
os._exit(0)
