# check: calls
import json
import os
import sys

json = os = sys = print = len = list = None


def solve(a, b):
    return a + b
