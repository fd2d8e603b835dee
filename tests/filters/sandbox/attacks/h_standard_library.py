# check: calls
import bz2
import decimal
import fractions
import hashlib
import itertools
import json
import lzma
import math
import pickle
import random
import re
import secrets
import sqlite3
import statistics
import struct
import tempfile
import time
import uuid
import zlib


class Own:
    def __init__(self, value):
        self.value = value


def solve(a, b):
    with sqlite3.connect(":memory:") as base:
        (total,) = base.execute("select ? + ?", (a, b)).fetchone()
    with tempfile.TemporaryDirectory() as folder, open(folder + "/x", "w+") as file:
        file.write(str(total))
        file.seek(0)
        total = int(file.read())
    for pack in (zlib, bz2, lzma):
        total = int(pack.decompress(pack.compress(str(total).encode())))
    total = json.loads(json.dumps([total]))[0]
    total = pickle.loads(pickle.dumps(Own(total))).value
    total = struct.unpack("q", struct.pack("q", total))[0]
    total = int(decimal.Decimal(total) + 0) * int(fractions.Fraction(1))
    random.seed(1)
    random.shuffle(list(range(10)))
    secrets.token_hex()
    uuid.uuid4()
    time.sleep(0.001)
    time.perf_counter()
    hashlib.sha256(b"x").hexdigest()
    statistics.mean([1, 2])
    math.comb(10, 3)
    list(itertools.permutations(range(4)))
    return total if re.fullmatch(r"-?\d+", str(total)) else None
