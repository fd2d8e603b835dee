# class: 3 forging the channel
# check: stdio
# reasons: wrong
# proof: carriage returns and backspaces hide nothing
print("4\b5")
print("wrong\r5    ", end="")
