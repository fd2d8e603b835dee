# class: 6 the host's files and devices
# check: calls
# reasons: wrong
# proof: there is no terminal, and ioctls that type into one are refused
import fcntl
import os
import termios


def solve(a, b):
    done = []
    for act in (lambda fd: fcntl.ioctl(fd, termios.TIOCSTI, b"x"), lambda fd: fcntl.ioctl(fd, 0x541C, b"\x03")):
        for descriptor in range(4):
            try:
                act(descriptor)
                done.append(descriptor)
            except OSError:
                pass
    try:
        os.close(os.open("/dev/tty", os.O_RDWR))
        done.append("tty")
    except OSError:
        pass
    done += [fd for fd in range(64) if os.isatty(fd)]
    return a + b if done else "blocked"
