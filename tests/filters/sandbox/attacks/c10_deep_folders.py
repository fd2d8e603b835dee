# class: 10 memory, disk and descriptors
# check: calls
# reasons: wrong timeout
# proof: folders too deep for recursion are cleared away: the next program finds none
import os


def solve(a, b):
    depth = 0
    try:
        os.chdir("/tmp")
        while depth < 20_000:
            os.mkdir("d" * 200)
            os.chdir("d" * 200)
            depth += 1
    except OSError:
        pass
    return -depth
