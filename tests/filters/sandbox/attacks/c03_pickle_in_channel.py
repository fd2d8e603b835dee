# class: 3 forging the channel
# check: calls
# reasons: protocol_violation
# proof: nothing is ever unpickled: no file appears
import os
import pickle


class Writes:
    def __reduce__(self):
        return (os.system, ("touch @WITNESS@/pickled",))


for descriptor in range(3, 64):
    try:
        os.write(descriptor, pickle.dumps(Writes()) + b"\n")
    except OSError:
        pass
os._exit(0)
