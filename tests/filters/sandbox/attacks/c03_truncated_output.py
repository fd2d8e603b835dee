# class: 3 forging the channel
# check: stdio
# cases: [["3\n", "0\n1\n2\n"]]
# reasons: wrong
# proof: lines that are missing at the end are missing: nothing is zipped
for number in range(int(input()) - 1):
    print(number)
