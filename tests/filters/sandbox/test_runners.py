"""Which languages can be run here, what is told where one cannot, and names in Java programs."""

from __future__ import annotations

import time

import pytest

from potstill.filters.programs.language_tags import is_known
from potstill.filters.sandbox import runners, toolchains
from potstill.filters.sandbox.execution import RunnerMissing
from potstill.filters.sandbox.java_source import names_in
from potstill.filters.sandbox.runners import runner_for


@pytest.mark.parametrize("language", ["klingon", "go", "bash", "", "c" * 10_000])
def test_a_language_without_a_runner_is_told_by_name(language: str) -> None:
    with pytest.raises(RunnerMissing, match=r"no runner for .*c, cpp, java") as error:
        runner_for(language, "", 512)
    assert language[:30] in str(error.value)
    assert len(str(error.value)) < 200


@pytest.mark.parametrize(
    ("language", "tool"),
    [
        ("c", "gcc"),
        ("cpp", "g\\+\\+"),
        ("javascript", "node"),
        ("java", "javac"),
        ("rust", "rustc"),
    ],
)
def test_a_missing_tool_is_told_by_name(
    language: str, tool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    toolchains._rust_root.cache_clear()
    with pytest.raises(RunnerMissing, match=f"{tool} is not installed"):
        runner_for(language, "", 512)


def test_languages_go_by_the_names_that_fences_give_them() -> None:
    assert all(is_known(language) for language in runners._RUNNERS)


@pytest.mark.parametrize(
    ("code", "file", "start"),
    [
        ("class Main { public static void main(String[] a) {} }", "Main", "Main"),
        ("public class Solution { public static void main(String... a) {} }", *["Solution"] * 2),
        ("class Node {}\npublic class Main { static void main (String[] a) {} }", "Main", "Main"),
        (
            "public class Util {}\nclass Run { public static void main(String[] a){} }",
            "Util",
            "Run",
        ),
        ("public final class A { class B {} void f() {} static void main(String[] a){} }", *"AA"),
        (
            "public abstract sealed interface I permits A {}\nrecord A(int x) { void main() {} }",
            *"IA",
        ),
        (
            "import java.util.*;\npackage a.b;\nclass X{static void main(String[] s){}}",
            "X",
            "a.b.X",
        ),
        ("// public class Wrong {\n/* public class Wrong { */ class A{void main(){}}", *"AA"),
        ("class A{String s=\"public class B {\";char c='{';}class C{void main(){}}", *"CC"),
        (
            'class A{String s="""\n } public class B { "" \\""" ""\n""";}class C{void main(){}}',
            *"CC",
        ),
        ("class A { void f() { class Inner { void main() {} } } void main() {} }", *"AA"),
        ("class A { }", "Main", "Main"),
        ("public enum E { A; public static void main(String[] a) {} }", "E", "E"),
        ("class Größe { static void main(String[] a) {} }", "Größe", "Größe"),
        ("", "Main", "Main"),
        ("}}}} public class A { void main(", "Main", "Main"),
    ],
)
def test_names_in_java(code: str, file: str, start: str) -> None:
    assert names_in(code) == (file, start)


@pytest.mark.parametrize(
    "piece",
    [
        "/*",
        '"',
        "'",
        '"""',
        "class ",
        "class",
        "void ",
        "void main",
        "{",
        "}",
        "//",
        "\\",
        "public ",
    ],
)
def test_any_text_takes_linear_time(piece: str) -> None:
    text = piece * (400_000 // len(piece))
    started = time.perf_counter()
    names = names_in(text)
    assert time.perf_counter() - started < 3
    assert max(map(len, names)) < 250


def test_a_long_name_is_cut() -> None:
    names = names_in(f"public class {'A' * 200_000} {{ void main() {{}} }}")
    assert names == ("A" * 100, "A" * 100)
