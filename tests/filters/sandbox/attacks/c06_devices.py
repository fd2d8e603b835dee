# class: 6 the host's files and devices
# check: calls
# reasons: wrong
# proof: no device can be made, replaced or reconfigured; no other than the harmless ones is there
import os
import stat

HARMLESS = {"null", "zero", "full", "random", "urandom", "tty", "fd", "stdin", "stdout", "stderr", "core", "ptmx", "pts", "shm", "console"}


def solve(a, b):
    done = []
    for act in (
        lambda: os.mknod("/tmp/disk", 0o666 | stat.S_IFBLK, os.makedev(254, 0)),
        lambda: os.mknod("/tmp/memory", 0o666 | stat.S_IFCHR, os.makedev(1, 1)),
        lambda: os.unlink("/dev/null"),
        lambda: os.rename("/dev/null", "/dev/zero"),
        lambda: os.chmod("/dev/null", 0),
        lambda: open("/dev/new", "w"),
        lambda: open("/dev/console", "w"),
        lambda: os.open("/dev/ptmx", os.O_RDWR),
        lambda: os.openpty(),
    ):
        try:
            act()
            done.append(act)
        except OSError:
            pass
    if os.path.isdir("/dev"):
        done += set(os.listdir("/dev")) - HARMLESS
    return a + b if done else "blocked"
