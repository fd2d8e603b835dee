"""From a file, a folder or hub data to samples, in this order:

files, layout, cards        which files a source is, and what each holds
packed, pieces              bytes unpacked; text cut into lines or elements
json_columns, strict_json   JSON to blocks of columns, or of rows where columns would change one
csv_files, arrow_files      CSV, parquet and Arrow to blocks
readers, agreement          any source to blocks; files that do not belong together refused
columns, expressions        what the columns mean
conversations, extras       prompts of several turns; columns that stand for nothing
understanding, samples      the whole way, for commands that take a FILE
desk, declared_ids          what `load` writes, sets aside and counts
"""
