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
    "model_api_key": "sk-" + "proj-" + LETTERS,
    "aws_key": "AKIA" + "Z7QR4TUV2WXY3K5M",
    "github_token": "ghp_" + LETTERS + "abcd",
    "gitlab_token": "glpat-" + LETTERS[:20],
    "slack_token": "xoxb-" + "123456789012-" + LETTERS,
    "google_key": "AIza" + LETTERS + "abc",
    "stripe_key": "sk_" + "live_" + LETTERS,
    "service_token": "npm_" + LETTERS + "abcd",
    "url_password": "redis://cache:" + "Tr0ub4dor3@10.0.0.5:6379",
    "private_key": "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7x",
    "jwt": "eyJ" + LETTERS + ".eyJ" + LETTERS + "." + LETTERS,
    "assigned_secret": 'api_key = "' + LETTERS + '"',
    "email": "jane.doe@" + "gmail.com",
    "phone": "+49 30 1234 5678",
    "ip_address": "91.198.174.192",
}
KEY_BODY = "MIIEpAIBAAKCAQEA7xB9qLm2vT5"
ALSO = {
    "email": [
        "邮箱zhangsan@qq" + ".com",
        "联系zhang@qq" + ".com谢谢",
        "jürgen@firma" + ".de",
        "max@müller" + ".de",
        "jane+lists@gmail" + ".com",
        "_jane@gmail" + ".com",
        "jane@gmail" + ".com(work)",
    ],
    "model_api_key": [
        "密钥sk-" + LETTERS,
        "sk-" + "ant-api03-" + LETTERS * 2 + "-AA",
        "sk-" + "or-v1-" + "0a1b2c3d" * 8,
        "gsk_" + LETTERS + LETTERS[:20],
        "xai-" + LETTERS * 2,
    ],
    "aws_key": ["密钥AKIA" + "Z7QR4TUV2WXY3K5M。", "KEY_AKIA" + "Z7QR4TUV2WXY3K5M"],
    "github_token": ["令牌ghp_" + LETTERS + "abcd"],
    "slack_token": [
        "xapp-" + "1-A01234-" + LETTERS,
        "https://hooks." + "slack.com/services/T01ABCDEF/B01ABCDEF/" + LETTERS[:24],
    ],
    "google_key": ["GOCSPX-" + LETTERS[:28], "ya29." + "a0" + LETTERS * 2],
    "stripe_key": ["rk_" + "live_" + LETTERS, "whsec_" + LETTERS],
    "service_token": [
        "pypi-" + "AgEIcHlwaS5vcmc" + LETTERS,
        "SG." + LETTERS[:22] + "." + LETTERS + LETTERS[:11],
        "123456789" + ":AA" + LETTERS + "a",
    ],
    "private_key": [
        f"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES,AB\n\n{KEY_BODY}",
        f"-----BEGIN PGP PRIVATE KEY BLOCK-----\r\nVersion: GnuPG v2\r\n\r\n{KEY_BODY}",
        json.dumps(json.dumps({"key": f"-----BEGIN PRIVATE KEY-----\n{KEY_BODY}\n"})),
    ],
    "assigned_secret": [
        json.dumps(json.dumps({"api_key": LETTERS})),
        "Authorization: Bearer " + LETTERS,
        "export AWS_SECRET_" + "ACCESS_KEY=wJalrXUtnFEMIK7MDENGbPxRfiCYZZ1234567890",
        "AccountKey=" + LETTERS * 2 + "==",
    ],
    "url_password": ["redis://:" + "Tr0ub4dor3@10.0.0.5:6379/0"],
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
    "y = weights@x.reshape(2) + a@b.dot(c) - x@y.T",
    "git clone git@github.com:owner/name.git",
    "npm install react@18.2.0 lodash@4.17.21",
    "\\makeatletter \\@ifnextchar[ $a@b$ @pytest.mark.slow",
    "foo@bar.com and test@test.com",
    "postgres://user:password@localhost:5432/name",
    "https://host/path?at=10:30@home and http://localhost:8000/@user",
    "Authorization: Bearer YOUR_API_TOKEN_GOES_HERE_1 or {token}",
    "access_token = response.json()['access_token_1']",
    "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "task-" + "aB3dE5gH7jK9mN1pQ2sT4vW6yZ8bC0dF",
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


@pytest.mark.parametrize(("kind", "text"), [(k, text) for k in ALSO for text in ALSO[k]])
def test_other_forms_are_found_too(kind: str, text: str) -> None:
    found = scan(rows(f"It is {text}"))
    assert found.counts == {kind: 1}
    assert all(part not in json.dumps(found.facts()) for part in (LETTERS, KEY_BODY))


@pytest.mark.parametrize("sign", ["a.", "a", "@a.", "x@", "sk-ab-", "eyJaaaaaaaaaaaaa.", "A: b\n"])
def test_no_text_takes_longer_than_its_length_asks(sign: str) -> None:
    """In quadratic time a text of this length takes minutes."""
    text = f"-----BEGIN PRIVATE KEY-----{sign * (600_000 // len(sign))}@"
    assert "aws_key" not in scan(rows(text)).counts


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
