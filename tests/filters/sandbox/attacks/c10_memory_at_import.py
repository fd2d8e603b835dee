# class: 10 memory, disk and descriptors
# check: stdio
# reasons: memory runtime_error
# proof: a script that runs out of memory is no fault of the sandbox
x = "a" * (8 << 30)
print(5)
