# class: 2 early or dirty exit
# check: calls
# reasons: runtime_error wrong
# proof: a value cannot be called
solve = 5
