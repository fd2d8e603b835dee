# class: 7 network
# check: calls
# reasons: wrong
# teeth: yes
# proof: no name is resolved, not even localhost
import socket


def solve(a, b):
    try:
        socket.getaddrinfo("localhost", 80)
        return a + b
    except OSError:
        return "blocked"
