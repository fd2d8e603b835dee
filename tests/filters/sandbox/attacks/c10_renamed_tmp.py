# class: 10 memory, disk and descriptors
# check: calls
# reasons: wrong
# proof: /tmp itself can be neither removed nor moved nor replaced
import os


def solve(a, b):
    done = []
    for act in (lambda: os.rmdir("/tmp"), lambda: os.rename("/tmp", "/tmp2"), lambda: os.symlink("/usr", "/tmp")):
        try:
            act()
            done.append(act)
        except OSError:
            pass
    return a + b if done else "blocked"
