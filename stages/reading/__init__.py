"""From a file, a folder or hub data to samples, in this order:

sources, files, layout,     which files a source is, here or on the hub, and what each holds
cards
packed, pieces              bytes unpacked; text cut into lines or elements
json_columns, strict_json   JSON to blocks of columns, or of rows where columns would change one
csv_files, arrow_files      CSV, parquet and Arrow to blocks
readers, agreement          any source to blocks; files that do not belong together refused
fields, shapes, shaping     what may be said, and the kinds of datasets that are known
columns, expressions        what the columns of a row mean
conversations, thinking     prompts of several turns; thoughts in one form
extras                      columns that stand for nothing
column_samples, _parts      the same for all plain rows of a block at once
understanding, samples      the whole way, for commands that take a FILE
desk, declared_ids          what `load` writes, sets aside and counts
"""
