# class: 11 time
# check: asserts
# reasons: timeout
# proof: killed at the CPU limit
while True:
    pass
