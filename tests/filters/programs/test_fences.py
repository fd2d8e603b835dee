"""Where fenced blocks begin and end, in tidy markdown and in what models write."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potstill.filters.programs.fences import fenced_blocks
from potstill.filters.programs.language_tags import language_of


def blocks(text):
    """(language, code) of every block; a star behind the language where it was not closed."""
    found = fenced_blocks(text)
    return [(each.language + "*" * (not each.closed), each.code(text)) for each in found]


PLAIN = "def f():\n    return 1\n"


@pytest.mark.parametrize(
    "text",
    [
        "```python\ndef f():\n    return 1\n```",
        "text before\n```python\ndef f():\n    return 1\n```\ntext behind\n",
        "~~~python\ndef f():\n    return 1\n~~~",
        "`````python\ndef f():\n    return 1\n`````",
        "```python\ndef f():\n    return 1\n``````",
        "```python\r\ndef f():\r\n    return 1\r\n```\r\n",
        "1. Like this:\n\n   ```python\n   def f():\n       return 1\n   ```\n",
        "- ```python\n  def f():\n      return 1\n  ```\n",
        "10. ```python\n    def f():\n        return 1\n    ```\n",
        "      ```python\n      def f():\n          return 1\n      ```\n",
        "\t```python\n\tdef f():\n\t    return 1\n\t```\n",
        "   ```python\ndef f():\n    return 1\n   ```\n",
        "> ```python\n> def f():\n>     return 1\n> ```\n",
        "```python\ndef f():\n    return 1\n   ```  \n",
        "Here it is: ```python\ndef f():\n    return 1\n```",
        "```python\ndef f():\n    return 1\n``` This returns one.\n",
    ],
)
def test_a_block_is_found_however_it_is_fenced(text):
    assert blocks(text) == [("python", PLAIN)]


@pytest.mark.parametrize(
    "info",
    [
        *("python", "Python", "PYTHON", "python3", "Python3", "py", "py3", "python3.11", " python"),
        *("{.python}", "{python}", "{.python .numberLines}", "python {1,3}", "python{1,3}"),
        *('python title="a.py"', "python:main.py", "python, linenos", "solution.py", "python 3"),
        *("cpython", "pypy3", "python-3.11"),
    ],
)
def test_spellings_of_python(info):
    assert blocks(f"```{info}\nx\n```") == [("python", "x\n")]


@pytest.mark.parametrize(
    ("info", "language"),
    [
        *(
            ("cpp", "cpp"),
            ("c++", "cpp"),
            ("C++17", "cpp"),
            ("cc", "cpp"),
            ("c", "c"),
            ("c11", "c"),
        ),
        *(("js", "javascript"), ("JavaScript", "javascript"), ("node", "javascript")),
        *(("ts", "typescript"), ("java", "java"), ("rs", "rust"), ("golang", "go"), ("go", "go")),
        *(("text", "text"), ("output", "text"), ("json", "json"), ("sh", "bash"), ("cs", "csharp")),
        *(("", ""), ("code", ""), ('title="x"', ""), ("{}", ""), ("pycon", "pycon")),
        *(("python-repl", "python-repl"), ("pyx", "pyx"), ("javac", "javac"), ("c#", "csharp")),
    ],
)
def test_other_tags(info, language):
    assert language_of(info) == language


def test_a_program_is_not_cut_at_a_fence_in_a_string_or_a_comment():
    docstring = '"""\n    ```python\n    f()\n    ```\n    """'
    readme = "'''\n```bash\npip install x\n```\n'''"
    for inside in (docstring, readme, "# ```", "'''\n```\n```\n'''", 'r"""\\"""\n```\n"""'):
        code = f"def f():\n    {inside}\n    return 1\n"
        assert blocks(f"```python\n{code}```\ntext") == [("python", code)], inside
        assert blocks(f"```\n{code}```\ntext") == [("", code)], inside


def test_a_string_that_never_ends_holds_no_fence():
    text = '```python\nx = """\n```\nBetter:\n```python\ny = 1\n```\nDone.'
    assert blocks(text) == [("python", 'x = """\n'), ("python", "y = 1\n")]
    text = '```python\nx = """\n```\nBetter:\n```python\ny = """a"""\n```\nDone.'
    assert blocks(text)[-1] == ("python", 'y = """a"""\n')
    text = "```python\nprint('it's')\n```\nIt's done.\n```python\nz\n```"
    assert blocks(text) == [("python", "print('it's')\n"), ("python", "z\n")]


def test_shorter_and_other_fences_are_text():
    inner = "```python\nx\n```\n"
    assert blocks(f"````markdown\n{inner}````") == [("markdown", inner)]
    assert blocks(f"~~~text\n{inner}~~~") == [("text", inner)]
    assert blocks("```python\nx\n~~~\ny\n```") == [("python", "x\n~~~\ny\n")]


def test_a_tagged_fence_in_an_open_block_begins_a_new_one():
    assert blocks("```python\nx\n\n```python\ny\n```") == [("python*", "x\n\n"), ("python", "y\n")]
    wrapped = "```markdown\n# A\n```python\nx\n```\nB\n```"
    assert blocks(wrapped) == [("markdown*", "# A\n"), ("python", "x\n"), ("*", "")]
    assert blocks("```text\nx\n```cpp\ny") == [("text*", "x\n"), ("cpp*", "y")]


def test_a_block_that_is_never_closed_runs_to_the_end():
    assert blocks("a\n```python\nx\ny") == [("python*", "x\ny")]
    assert blocks("```python\nx\n`` `") == [("python*", "x\n`` `")]
    assert blocks("```python") == [("python*", "")]
    assert blocks("````python\nx\n```\n") == [("python*", "x\n```\n")]


def test_a_fence_at_the_end_of_a_line_of_code_closes():
    text = "```python\nreturn 1```\nIt prints:\n```\n1\n```"
    assert blocks(text) == [("python", "return 1"), ("", "1\n")]


@pytest.mark.parametrize(
    "text",
    [
        *("", "no fence", "`x`", "``x``", "```x```", "a ```x``` b", "```python print(1)```"),
        *("x ``` y", "use ```python to begin", "    x = 1\n", "~~strike~~", "``\nx\n``"),
    ],
)
def test_no_block(text):
    assert blocks(text) == []


def test_spans_are_places_of_the_whole_text():
    text = "思考</think>\n😀\n```python\n名 = 1\n```"
    (block,) = fenced_blocks(text)
    assert text[slice(*block.span)] == "名 = 1\n"


PIECES = [
    *(
        "```",
        "````",
        "~~~",
        "`",
        "\n",
        "\n",
        "\r\n",
        " ",
        "    ",
        "\t",
        "> ",
        "- ",
        "1. ",
        "python",
    ),
    *(
        "cpp",
        "x = 1",
        '"""',
        "'''",
        '"',
        "'",
        "#",
        "\\",
        "text",
        "{",
        "<think>",
        "\u2028",
        "\ud800",
    ),
]


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_blocks_follow_each_other_and_never_overlap(text):
    at = 0
    for block in fenced_blocks(text):
        start, end = block.span
        assert at <= start <= end <= len(text)
        assert "\r\n" not in block.code(text)
        at = end


@given(st.text(alphabet="ab=1 \n\t()[]'\"#\\`~é", max_size=80), st.sampled_from(["`", "~"]))
def test_what_stands_in_a_longer_fence_comes_out_as_it_is(code, sign):
    """Whatever the code is; a comment or a string that holds the fence's end is not closed."""
    fence = sign * 90
    text = f"{fence}text\n{code}\n{fence}\n"
    assert blocks(text) == [("text", code + "\n")]


HOSTILE = {
    "ticks": "`" * 200_000,
    "fences": "```\n" * 50_000,
    "openers": "```python\n" * 20_000,
    "open strings": '```python\nx="""\n```\n' * 10_000,
    "escaped strings": '```py\n\\"""\n```\n' * 14_000,
    "blanks": " " * 200_000,
    "indented": ("\t" * 40 + "```py\n") * 4_500,
    "quotations": ">" * 200_000 + "```",
    "quoted": ">>>>>>>>>```py\n" + "x\n" * 90_000,
    "quotes": "```py\n" + '"' * 200_000,
    "backslashes": "```py\n'" + "\\" * 200_000,
    "comments": ("```py\n" + "#x```\n" * 25) * 1_200,
    "shorter and shorter": "".join("`" * n + "py\nx='''\n" for n in range(600, 2, -1)),
    "kinds": ('```py\n"""\n```\n' + "~~~\n" * 20) * 2_000,
    "glued": "```py\n" + "'x```\n" * 33_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_takes_linear_time(name):
    began = time.process_time()
    found = fenced_blocks(HOSTILE[name])
    for block in found[-1:]:
        block.code(HOSTILE[name])
    assert time.process_time() - began < 4  # quadratic ones took over 20 s, linear ones below 0.5
