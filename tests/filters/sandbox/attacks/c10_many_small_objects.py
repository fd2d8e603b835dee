# class: 10 memory, disk and descriptors
# check: calls
# reasons: memory timeout
# proof: a list that grows for ever ends at the memory limit
def solve(a, b):
    grown = []
    while True:
        grown.append([None] * 4096)
