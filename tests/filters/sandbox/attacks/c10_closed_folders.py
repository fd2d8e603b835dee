# class: 10 memory, disk and descriptors
# check: calls
# reasons: wrong
# proof: folders that nobody may enter are cleared away: the next program finds none
import os


def solve(a, b):
    for name in ("a", "b"):
        os.makedirs(f"/tmp/{name}/inside/deeper")
        open(f"/tmp/{name}/inside/file", "w").close()
        os.chmod(f"/tmp/{name}/inside/deeper", 0)
        os.chmod(f"/tmp/{name}/inside", 0)
        os.chmod(f"/tmp/{name}", 0)
    try:
        os.chmod("/tmp", 0)
    except OSError:
        pass
    return 0
