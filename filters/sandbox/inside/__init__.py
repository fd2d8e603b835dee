"""What runs inside the sandbox, around programs: it needs the standard library and nothing of ours.

    zygote.py       forks a child for every program, and says how it ended
    python_job.py   a child that runs a Python program: as a script, or called, or with its asserts
    native_job.py   a child that becomes a compiler, or a program in another language
    wires.py        values as JSON that keeps Python's types apart (`../execution.py`)

The folder is bound into the sandbox as it is, and its modules import only one another. Nobody has
to believe what they say once a program runs beside them: the outside reads it as hostile bytes.
They hold no secret and no expected value. The outside imports the few constants that both share.
"""
