# class: 12 what the parent must read
# check: stdio
# reasons: output_limit
# proof: the parent stops reading at the limit
while True:
    print("5" * 4096)
