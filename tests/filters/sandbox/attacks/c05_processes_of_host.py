# class: 5 secrets and the host's files
# check: calls
# reasons: wrong
# teeth: yes
# proof: there is no /proc to read other processes in
import os


def solve(a, b):
    found = []
    for path in ("/proc/1/environ", "/proc/1/cmdline", "/proc/1/mem", "/proc/self/mem", "/proc/self/maps"):
        try:
            os.close(os.open(path, os.O_RDONLY))
            found.append(path)
        except OSError:
            pass
    return a + b if found else "blocked"
