# class: 5 secrets and the host's files
# check: probe
# answer: {"unexpected": []}
# proof: beside stdin, stdout, stderr and the channel nothing is open, and no folder or socket is
import os
import stat


def solve():
    found = []
    for descriptor in range(4096):
        try:
            mode = os.fstat(descriptor).st_mode
        except OSError:
            continue
        if descriptor > 3 or not (stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISCHR(mode)):
            found.append([descriptor, stat.filemode(mode)])
    return {"unexpected": found}
