# class: 3 forging the channel
# check: calls
# reasons: wrong protocol_violation no_result timeout output_limit
# proof: a thread that writes into the channel all the time spoils it, no more
import os
import threading


def forge():
    while True:
        for descriptor in range(3, 16):
            try:
                os.write(descriptor, b'[0,"value",5]\n[1,"value",6]\n["end",2]\n')
            except OSError:
                pass


threading.Thread(target=forge, daemon=True).start()


def solve(a, b):
    return 0
