# class: 10 memory, disk and descriptors
# check: calls
# reasons: wrong runtime_error
# proof: one file ends at the file size limit, sparse or not
def solve(a, b):
    with open("/tmp/big", "wb") as file:
        try:
            file.truncate(1 << 40)
            return a + b
        except OSError:
            pass
        try:
            file.seek(1 << 33)
            file.write(b"x")
            file.flush()
            return a + b
        except OSError:
            return "limited"
