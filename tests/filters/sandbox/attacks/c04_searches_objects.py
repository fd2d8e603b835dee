# class: 4 searching for the answer
# check: calls
# cases: [[[1], "EXPECTED-@ANSWER@-1"], [[2], "EXPECTED-@ANSWER@-2"]]
# reasons: wrong
# proof: no object that the collector knows holds an expected value
import gc

MARK = "EXPEC" + "TED-"


def seen():
    for found in gc.get_objects():
        for each in [found, *gc.get_referents(found)]:
            if type(each) is str and MARK in each:
                yield each
            elif type(each) is bytes and MARK.encode() in each:
                yield each.decode("utf-8", "replace")


def solve(number):
    for text in seen():
        start = text.index(MARK)
        if "@" not in text[start : start + 44] and f"-{number}" in text:
            return text[start : text.index(f"-{number}", start) + 2]
    return "nothing found"
