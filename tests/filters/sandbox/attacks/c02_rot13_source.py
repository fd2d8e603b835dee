# class: 2 early or dirty exit
# check: calls
# reasons: runtime_error
# proof: a coding line does not turn the rest into another program
# coding: rot13
qrs fbyir(n, o):
    erghea n + o
