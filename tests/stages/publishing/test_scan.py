"""The scan: what it finds, what it leaves alone, and that it never tells a secret.

Secrets are put together here, so that no scanner takes this file for a leak.
"""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import polars as pl
import pytest

from potstill.stages.publishing.scan import Findings, scan
from potstill.stages.publishing.secrets import KINDS, LOCAL_PATH, masked

LETTERS = "aB3dE5gH7jK9mN1pQ2sT4vW6yZ8bC0dF"
SECRETS = {
    "hub_token": "hf_" + LETTERS + "xY",
    "openai_key": "sk-" + "proj-" + LETTERS,
    "aws_key": "AKIA" + "Z7QR4TUV2WXY3K5M",
    "github_token": "ghp_" + LETTERS + "abcd",
    "gitlab_token": "glpat-" + LETTERS[:20],
    "slack_token": "xoxb-" + "123456789012-" + LETTERS,
    "google_key": "AIza" + LETTERS + "abc",
    "private_key": "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7x",
    "jwt": "eyJ" + LETTERS + ".eyJ" + LETTERS + "." + LETTERS,
    "assigned_secret": 'api_key = "' + LETTERS + '"',
    "email": "jane.doe@" + "gmail.com",
    "phone": "+49 30 1234 5678",
    "ip_address": "91.198.174.192",
}
HARMLESS = [
    "user@example.com",
    "me@example.org or you@mail.example.net",
    "name@domain.com",
    "sk-" + "x" * 24,
    "sk-learn-is-a-library-for-machine-learning",
    "hf_" + "your_token_here",
    "AKIA" + "IOSFODNN7EXAMPLE",
    'api_key = "' + "YOUR_API_KEY_GOES_HERE_1" + '"',
    "password: hunter2",
    "password = get_password_from_the_user()",
    "the secret of a happy life",
    "@decorator and a@b",
    "3.14.15.926 and 10.0.0.1 and 127.0.0.1 and 192.168.1.1",
    "-----BEGIN PUBLIC KEY-----",
    "1 + 2 = 3",
]


def rows(*texts: str) -> dict[str, Path | bytes]:
    lines = [
        {"id": f"row{n}", "messages": [{"role": "user", "content": text}]}
        for n, text in enumerate(texts)
    ]
    return {"data/train.jsonl": "".join(json.dumps(line) + "\n" for line in lines).encode()}


def test_every_kind_has_an_example() -> None:
    assert SECRETS.keys() == {kind.name for kind in KINDS}


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_is_found_and_not_told(kind: str) -> None:
    found = scan(rows("nothing", f"It is {SECRETS[kind]}, he said."))
    assert found.counts == {kind: 1}
    (example,) = found.examples
    assert (example.kind, example.row, example.column) == (kind, "row1", "messages.content")
    assert SECRETS[kind] not in json.dumps(found.facts())
    assert LETTERS not in json.dumps(found.facts())


@pytest.mark.parametrize("text", HARMLESS)
def test_placeholders_and_prose_are_no_findings(text: str) -> None:
    assert scan(rows(text)).counts == {}


@pytest.mark.parametrize("kind", SECRETS)
def test_an_excerpt_shows_a_quarter_at_most(kind: str) -> None:
    secret = SECRETS[kind]
    shown = masked(secret)
    if kind != "email":
        assert shown.partition("…")[0] == secret[: len(shown.partition("…")[0])]
        assert len(shown.partition("…")[0]) <= len(secret) / 4


@pytest.mark.parametrize("format_", ["parquet", "jsonl", "csv"])
def test_every_format_and_column_is_read(format_: str) -> None:
    frame = pl.DataFrame({"id": ["a", "b"], "answer": [None, SECRETS["email"]]})
    data = io.BytesIO()
    {"parquet": frame.write_parquet, "jsonl": frame.write_ndjson, "csv": frame.write_csv}[format_](
        data
    )
    (example,) = scan({f"data/x.{format_}": data.getvalue()}).examples
    assert (example.row, example.column) == ("b", "answer")


def test_cards_and_manifests_are_read_too() -> None:
    found = scan({"README.md": SECRETS["hub_token"].encode(), "provenance/a.json": b'"/home/me/x"'})
    assert found.counts == {"hub_token": 1, "local_path": 1}
    assert LOCAL_PATH.found_in("see https://host/home/page") == []


def test_vocabularies_are_not() -> None:
    assert scan({"tokenizer.json": SECRETS["email"].encode()}).counts == {}


def test_many_findings_are_counted_and_few_told() -> None:
    found = scan(rows(*[SECRETS["email"]] * 50))
    assert found.counts["email"] == 50
    assert len(found.examples) == 20


def test_notes_and_allowed_kinds_do_not_stop() -> None:
    found = scan(rows(*SECRETS.values()))
    assert not {"phone", "ip_address"} & found.stopping(frozenset()).keys()
    assert "email" in found.stopping(frozenset())
    assert "email" not in found.stopping(frozenset({"email"}))
    assert Findings().stopping(frozenset()) == {}


REAL = Path(__file__).parents[4] / "shared" / "data"


@pytest.mark.skipif(not REAL.is_dir(), reason="the real inputs are not there")
def test_real_data_has_few_false_alarms() -> None:
    """GSM8K and HumanEval: no secret and no address, by reading every finding."""
    code = gzip.decompress((REAL / "HumanEval.jsonl.gz").read_bytes())
    files = {"train.jsonl": (REAL / "gsm8k_train.jsonl").read_bytes(), "code.jsonl": code}
    assert scan(files).stopping(frozenset()) == {}
