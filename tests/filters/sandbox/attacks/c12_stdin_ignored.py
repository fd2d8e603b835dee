# class: 12 what the parent must read
# check: stdio
# cases: [["@LONG_INPUT@", "5\n"]]
# reasons: wrong no_result
# proof: a program that never reads its megabyte of input blocks nobody
print(4)
