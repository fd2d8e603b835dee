# class: 7 network
# check: calls
# reasons: wrong
# proof: a socket pair, where it is allowed, can be turned to no address
import socket


def solve(a, b):
    try:
        one, two = socket.socketpair()
    except OSError:
        return "blocked"
    done = []
    for act in (
        lambda: one.connect("\0@ABSTRACT@"),
        lambda: one.bind("\0mine"),
        lambda: two.bind("/tmp/mine"),
        lambda: one.listen(),
        lambda: one.sendto(b"hello", "\0@ABSTRACT@"),
    ):
        try:
            act()
            done.append(act)
        except (OSError, AttributeError):
            pass
    try:
        pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        pair[0].sendto(b"hello", "\0@ABSTRACT@")
        done.append("datagram")
    except OSError:
        pass
    return a + b if done else "blocked"
