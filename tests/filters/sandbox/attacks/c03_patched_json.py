# class: 3 forging the channel
# check: calls
# reasons: wrong protocol_violation no_result runtime_error
# proof: whatever json says now, cases are numbered and counted outside
import json
import json.encoder

json.dumps = lambda *args, **kwargs: '["end",2]'
json.JSONEncoder.encode = lambda *args, **kwargs: '["end",2]'
json.encoder.c_make_encoder = None
json.encoder.encode_basestring_ascii = json.encoder.encode_basestring = lambda text: "5"


def solve(a, b):
    return 0
