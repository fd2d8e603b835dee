# class: 7 network
# check: calls
# reasons: wrong
# teeth: yes
# proof: the listener on the host's loopback hears nothing
import socket


def solve(a, b):
    try:
        with socket.create_connection(("127.0.0.1", @PORT@), timeout=0.5) as stream:
            stream.sendall(b"hello")
        return a + b
    except OSError:
        return "blocked"
