# class: 3 forging the channel
# check: stdio
# reasons: wrong
# proof: all the sums there are do not contain the right one
a, b = map(int, input().split())
for guess in range(20):
    print(guess)
