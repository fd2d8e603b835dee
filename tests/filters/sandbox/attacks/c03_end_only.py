# class: 3 forging the channel
# check: calls
# reasons: protocol_violation no_result
# proof: an end without values is no result
import os

for descriptor in range(3, 64):
    try:
        os.write(descriptor, b'["end",2]\n')
    except OSError:
        pass
os._exit(0)
