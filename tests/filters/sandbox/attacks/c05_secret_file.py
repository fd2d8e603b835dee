# class: 5 secrets and the host's files
# check: calls
# reasons: wrong
# teeth: yes
# proof: a world-readable file of the host is not there
def solve(a, b):
    for path in ("@SECRET@", "/tmp/../@SECRET@", "/./@SECRET@", "/usr/..@SECRET@"):
        try:
            with open(path) as file:
                if "CANARY-" in file.read():
                    return a + b
        except OSError:
            pass
    return "blocked"
