# class: 5 secrets and the host's files
# check: probe
# answer: {"/": [], "/usr": [], "/usr/share": [], "/dev": [], "/tmp": []}
# proof: the root holds the interpreter, the libraries, three or four devices and nothing else
import os
import sys

EXPECTED = {
    "/": {"usr", "lib", "lib64", "lib32", "dev", "tmp", "potstill", "packages", sys.base_prefix.split("/")[1]},
    "/usr": {"lib", "lib64", "lib32", "bin", "local", "share"},
    "/usr/share": {"zoneinfo"},
    "/dev": {"null", "zero", "random", "urandom"},
    "/tmp": set(),
}


def solve():
    return {place: sorted(listed(place) - names) for place, names in EXPECTED.items()}


def listed(place):
    return set(os.listdir(place)) if os.path.isdir(place) else set()
