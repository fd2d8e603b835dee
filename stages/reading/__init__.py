"""From a file, a folder or hub data to samples, in this order:

text_files, strict_json   bytes to rows, one bad row costing one row
readers                   any format to the same rows
columns, expressions      what the columns mean
conversations, extras     prompts of several turns; columns that stand for nothing
samples                   the whole way, for `load` and for commands that take a FILE
"""
