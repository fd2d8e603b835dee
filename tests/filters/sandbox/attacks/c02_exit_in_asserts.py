# class: 2 early or dirty exit
# check: asserts
# reasons: no_result runtime_error
# proof: leaving before the asserts is not passing them
raise SystemExit(0)
