"""Which block of a completion is the program, and the reasons where there is none."""

import pytest

from potstill.filters.programs.program import NO_PROGRAM, Program, find_program
from potstill.pipeline.sample import Generation, new_sample
from potstill.pipeline.verdict import Verdict

F = "```python\ndef f(x):\n    return x\n```\n"
USE = "```python\nprint(f(1))\n```\n"
OUTPUT = "```\n1\n```\n"


def find(answer, language="python", which="last", entry_point="f", reason=None):
    made = Generation("t", "r", "k", 0, None, reason, None, None) if reason else None
    sample = new_sample((), completion=answer, generation=made)
    return find_program(sample, language, which, entry_point)


def code_in(answer, **settings):
    found = find(answer, **settings)
    assert isinstance(found, Program), found
    return found.code


def reason_of(answer, **settings):
    found = find(answer, **settings)
    assert isinstance(found, Verdict), found
    assert found.reason in NO_PROGRAM
    return found.reason


def test_the_span_is_that_of_the_block_in_the_completion():
    completion = f"<think>Über</think>\n\n{F}"
    found = find(completion)
    start, end = found.span
    assert completion[start:end] == found.code == "def f(x):\n    return x\n"
    assert found.evidence() == {"program": [start, end], "blocks": 1}


def test_only_what_follows_the_thought_counts():
    assert reason_of(f"<think>{F}</think>I am done.") == "no_program"
    assert code_in(f"<think>```python\nwrong</think>{F}") == "def f(x):\n    return x\n"


def test_the_last_block_of_the_language_is_the_program():
    first = F.replace("return x", "return 0")
    assert code_in(first + F) == code_in(F)
    assert find(first + F).evidence()["blocks"] == 2


def test_blocks_with_other_tags_do_not_count():
    others = "```bash\npython a.py\n```\n```text\n1\n```\n```json\n{}\n```\n```console\n$ ls\n```\n"
    assert code_in(others + F + others) == code_in(F)
    assert reason_of(others) == "wrong_language"
    assert reason_of("```cpp\nint f(int x) { return x; }\n```") == "wrong_language"
    assert code_in("```cpp\nint f() {}\n```" + "\n" + F, language="cpp") == "int f() {}\n"


def test_blocks_without_a_tag_count_only_where_none_has_the_right_one():
    assert code_in("```\ndef f(x):\n    return x\n```") == "def f(x):\n    return x\n"
    assert find("```\ndef f(x):\n    return x\n```").evidence()["tagged"] is False
    assert code_in(F + OUTPUT) == code_in(F)
    assert code_in(F + "```\ndef f(x): 0\n```") == "def f(x): 0\n"
    assert code_in(F + "```\ndef f(x): 0\n```", entry_point=None) == code_in(F)
    assert code_in("```bash\nls\n```\n```\ndef f(): 0\n```") == "def f(): 0\n"


def test_an_example_behind_the_program_makes_it_doubtful():
    assert reason_of(F + USE) == "several_programs"
    assert reason_of("```\ndef f(x): 0\n```\n" + OUTPUT) == "several_programs"
    assert find(F + USE).evidence["programs"] == [[10, 33], [47, 59]]
    assert code_in(F + USE, entry_point=None) == "print(f(1))\n"


@pytest.mark.parametrize(
    "last",
    [
        *("def f(x): return 1", "async def f(x): return 1", "f = lambda x: 1", "f: object = abs"),
        *("class f: pass", "from math import sqrt as f", "if True:\n    def f(x): return 1"),
    ],
)
def test_a_last_block_that_defines_the_entry_point_is_the_program(last):
    assert code_in(f"{F}```python\n{last}\n```") == last + "\n"


@pytest.mark.parametrize("last", ["f == 1", "x.f = 1", "def ff(x): 0", "# def f(x)", "print(f)"])
def test_a_last_block_that_only_names_it_is_not(last):
    assert reason_of(f"{F}```python\n{last}\n```") == "several_programs"


def test_no_block_at_all_defines_it():
    assert code_in("```python\ng = 1\n```\n```python\nh = 2\n```") == "h = 2\n"


def test_the_class_of_a_method_is_looked_for():
    solution = "```python\nclass Solution:\n    def run(self): 0\n```\n"
    use = "```python\nprint(Solution().run())\n```\n"
    assert reason_of(solution + use, entry_point="Solution.run") == "several_programs"
    assert code_in(use + solution, entry_point="Solution.run").startswith("class Solution")


def test_only_one_block_may_be_there_if_so_configured():
    assert reason_of(F + F, which="only") == "several_programs"
    assert reason_of(F + USE, which="only", entry_point=None) == "several_programs"
    assert code_in("```text\nx\n```\n" + F + OUTPUT, which="only") == code_in(F)


@pytest.mark.parametrize(
    "answer",
    ["def f(x):\n    return x", "`def f(x): return x`", "```python\n```", "```python", "    f()"],
)
def test_no_program(answer):
    assert reason_of(answer) == "no_program"


def test_a_program_without_its_last_fence_counts_unless_it_was_cut():
    unclosed = F.removesuffix("```\n")
    assert code_in(unclosed) == code_in(F)
    assert find(unclosed).evidence()["closed"] is False
    assert code_in(unclosed, reason="stop") == code_in(F)
    assert reason_of(unclosed, reason="length") == "truncated"
    assert reason_of(F, reason="length") == "truncated"


def test_empty_blocks_are_none():
    assert code_in(F + "```\n \n```\n```python\n\n```") == code_in(F)


def test_what_is_unfinished_has_no_program():
    assert reason_of("<think>" + F) == "thinking_not_closed"
    assert reason_of("<think>x</think>  ") == "no_answer"
    assert find_program(new_sample(()), "python", "last").score is None
