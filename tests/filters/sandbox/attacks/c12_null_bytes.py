# class: 12 what the parent must read
# check: stdio
# reasons: wrong
# proof: a null byte ends no comparison
print("5\0")
