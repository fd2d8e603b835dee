# class: 6 the host's files and devices
# check: probe
# answer: {"writable": ["/tmp"], "megabytes": true}
# proof: one small folder
import os


def solve():
    found = []
    for folder, folders, _ in os.walk("/"):
        if os.access(folder, os.W_OK):
            found.append(folder)
        if folder.count("/") > 4:
            folders.clear()
    place = os.statvfs("/tmp")
    return {"writable": found, "megabytes": place.f_blocks * place.f_frsize <= 64 << 20}
