# class: 7 network
# check: calls
# reasons: wrong
# teeth: yes
# proof: the listener on the host's loopback hears nothing
import socket


def solve(a, b):
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stream:
            stream.sendto(b"hello", ("127.0.0.1", @UDP@))
        return a + b
    except OSError:
        return "blocked"
