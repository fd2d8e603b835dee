# class: 10 memory, disk and descriptors
# check: calls
# patient: yes
# reasons: memory timeout wrong runtime_error
# proof: folders with long names fill the kernel's memory and not our patience: never unknown
import os


def solve(a, b):
    made = 0
    while True:
        try:
            os.mkdir(f"/tmp/{made:0250d}")
            made += 1
        except OSError:
            return -made
