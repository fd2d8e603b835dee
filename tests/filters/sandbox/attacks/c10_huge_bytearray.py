# class: 10 memory, disk and descriptors
# check: calls
# reasons: memory
# proof: eight gibibytes are not to be had
def solve(a, b):
    return len(bytearray(8 << 30))
