# class: 3 forging the channel
# check: calls
# reasons: wrong protocol_violation no_result runtime_error
# proof: an audit hook that raises or forges from inside makes nothing right
import os
import sys


def hook(event, args):
    if event.startswith(("os.", "sys.")):
        raise SystemExit(0)


def solve(a, b):
    sys.addaudithook(hook)
    return 0
