# class: 7 network
# check: probe
# answer: {"tcp": "EPERM", "udp": "EPERM", "tcp6": "EPERM", "unix": "EPERM", "netlink": "EPERM", "packet": "EPERM", "vsock": "EPERM", "raw": "EPERM", "alg": "EPERM", "bluetooth": "EPERM"}
# proof: no socket of any family can be made
import errno
import socket

KINDS = {
    "tcp": (socket.AF_INET, socket.SOCK_STREAM, 0),
    "udp": (socket.AF_INET, socket.SOCK_DGRAM, 0),
    "tcp6": (socket.AF_INET6, socket.SOCK_STREAM, 0),
    "unix": (socket.AF_UNIX, socket.SOCK_STREAM, 0),
    "netlink": (16, socket.SOCK_RAW, 0),
    "packet": (17, socket.SOCK_RAW, 0),
    "vsock": (40, socket.SOCK_STREAM, 0),
    "raw": (socket.AF_INET, socket.SOCK_RAW, 1),
    "alg": (38, socket.SOCK_SEQPACKET, 0),
    "bluetooth": (31, socket.SOCK_RAW, 1),
}


def solve():
    found = {}
    for name, kind in KINDS.items():
        try:
            socket.socket(*kind).close()
            found[name] = "made"
        except OSError as error:
            found[name] = errno.errorcode[error.errno]
    return found
