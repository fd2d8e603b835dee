# class: 10 memory, disk and descriptors
# check: calls
# reasons: wrong timeout
# proof: files without content end at the number of inodes or at the CPU limit
import os


def solve(a, b):
    made = 0
    try:
        while made < 2_000_000:
            os.close(os.open(f"/tmp/{made}", os.O_CREAT))
            made += 1
    except OSError:
        pass
    return a + b if made == 2_000_000 else "limited"
