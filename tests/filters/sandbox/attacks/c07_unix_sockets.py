# class: 7 network
# check: calls
# reasons: wrong
# teeth: yes
# proof: neither the abstract socket nor the one in the file system hears anything
import socket


def solve(a, b):
    done = []
    for address in ("\0@ABSTRACT@", "@WITNESS@/socket", "/run/docker.sock", "/run/systemd/private", "/dev/log"):
        try:
            with socket.socket(socket.AF_UNIX) as stream:
                stream.settimeout(0.5)
                stream.connect(address)
                stream.sendall(b"hello")
            done.append(address)
        except OSError:
            pass
    return a + b if done else "blocked"
