# class: 3 forging the channel
# check: stdio
# reasons: wrong no_result
# proof: nothing is not the empty prefix of everything
pass
