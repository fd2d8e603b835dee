# class: 10 memory, disk and descriptors
# check: calls
# reasons: wrong runtime_error
# proof: descriptors end at a limit, and the result can still be told or it is missing
import os


def solve(a, b):
    kept = []
    try:
        while len(kept) < 5000:
            kept.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        pass
    return a + b if len(kept) == 5000 else "limited"
