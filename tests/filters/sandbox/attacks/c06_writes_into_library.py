# class: 6 the host's files and devices
# check: calls
# reasons: wrong
# proof: the interpreter and its library cannot be changed for the programs after this one
import json
import os
import sys


def solve(a, b):
    places = [json.__file__, os.__file__, sys.executable, *filter(os.path.isdir, sys.path), sys.base_prefix]
    done = []
    for place in [place for place in places if place and not place.startswith("/tmp")]:
        for act in (
            lambda: open(place, "r+b").close(),
            lambda: open(os.path.join(place, "sitecustomize.py"), "w").close(),
            lambda: os.chmod(place, 0o777),
            lambda: os.utime(place),
            lambda: os.rename(place, place + ".old"),
            lambda: os.chown(place, 65534, 65534),
            lambda: os.setxattr(place, "user.mark", b"x"),
        ):
            try:
                act()
                done.append(place)
            except OSError:
                pass
    return a + b if done else "blocked"
