"""The faults of the server in faulty_server.py: their names, and what each does to a response.

A name that begins with a status is a refusal, which costs the asker nothing; any other fault spoils
an answer that was generated, so it may have been paid for.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

RETRYABLE = (
    "429",
    "429_retry_after",
    "429_retry_after_date",
    "408",
    "409",
    "425",
    "500",
    "502",
    "503_html",
    "503_retry_after",
    "529",
    "reset",
    "cut_body",
    "hang",
    "slow_drip",
    "html_200",
    "error_object_200",
    "no_choices",
    "empty_choices",
    "null_choices",
    "two_choices",
    "second_choice",
    "null_content",
    "content_is_a_list",
    "no_finish_reason",
    "null_finish_reason",
    "error_finish_reason",
    "malformed_json",
    "deep_json",
    "huge_number",
    "not_utf8",
)
PERMANENT = {
    "400": "bad_request",
    "400_context": "prompt_too_long",
    "404": "not_found",
    "422": "unprocessable",
    "429_too_large": "prompt_too_long",
    "302": "bad_request",
    "content_filter": "content_filter",
    "tool_calls": "unexpected_finish",
    "surrogate": "not_unicode",
}
TYPICAL: Mapping[str, float] = {
    "429_retry_after": 0.5,
    "500": 0.25,
    "html_200": 0.1,
    "reset": 0.1,
    "empty_choices": 0.05,
}
"""Shares of the faults that a busy service really shows; they sum to 1."""


def is_free(fault: str) -> bool:
    """Whether it was refused without an answer having been generated."""
    return fault[:3].isdecimal()


def fault_by_chance(rates: Mapping[str, float], seed: int, name: str, attempt: int) -> str:
    """A fault, or "answered": a function of its arguments and nothing else."""
    drawn = hashlib.sha256(f"{seed}:{name}:{attempt}".encode()).digest()
    left = int.from_bytes(drawn[:8], "big") / 2**64
    for fault, rate in rates.items():
        left -= rate
        if left < 0:
            return fault
    return "answered"


def typical(rate: float) -> dict[str, float]:
    """`rate` of all attempts fail, in the usual ways."""
    return {fault: rate * share for fault, share in TYPICAL.items()}


async def respond(
    request: web.Request, fault: str, good: dict[str, Any], waiting: Mapping[str, str]
) -> web.StreamResponse:
    """The response to a request that meets a fault, or none ("answered": `good` as it is).

    `waiting` are the headers of a refusal that says how long to wait.
    """
    choice = good["choices"][0]
    match fault:
        case "answered":
            pass
        case "429_retry_after" | "503_retry_after":
            return web.Response(status=int(fault[:3]), headers=waiting)
        case "429_retry_after_date":
            past = "Wed, 21 Oct 2015 07:28:00 GMT"
            return web.Response(status=429, headers={"Retry-After": past})
        case "429_long":
            return web.Response(status=429, headers={"Retry-After": "3600"})
        case "429_quota" | "429_too_large" | "400_context":
            told = {
                "429_quota": "You exceeded your current quota.",
                "429_too_large": "Request too large for r1 on tokens per min.",
                "400_context": "This model's maximum context length is 16 tokens.",
            }[fault]
            error = {"message": told}
            if fault == "429_quota":
                error["code"] = "insufficient_quota"
            return web.json_response({"error": error}, status=int(fault[:3]))
        case "503_html" | "html_200":
            page = "<html>upstream gone</html>"
            status = 503 if fault == "503_html" else 200
            return web.Response(status=status, text=page, content_type="text/html")
        case "302":
            return web.Response(status=302, headers={"Location": "http://127.0.0.1:9/"})
        case "401_echo":
            told = f"Incorrect API key provided: {request.headers['Authorization']}"
            return web.json_response({"error": {"message": told}}, status=401)
        case _ if fault.isdecimal():
            return web.json_response({"error": {"message": fault}}, status=int(fault))
        case "reset":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        case "hang":
            await asyncio.sleep(30)
        case "cut_body" | "slow_drip":
            return await _drip(request, fault)
        case "error_object_200":
            good = {"error": {"message": "overloaded", "code": 500}}
        case "no_choices":
            del good["choices"]
        case "empty_choices":
            good["choices"] = []
        case "null_choices":
            good["choices"] = None
        case "two_choices":
            good["choices"] *= 2
        case "second_choice":
            choice["index"] = 1
        case "null_content":
            choice["message"] = {"role": "assistant", "content": None}
        case "content_is_a_list":
            choice["message"]["content"] = ["<think>"]
        case "no_finish_reason":
            del choice["finish_reason"]
        case "null_finish_reason":
            choice["finish_reason"] = None
        case "error_finish_reason":
            choice["finish_reason"] = "error"
        case "length" | "content_filter" | "tool_calls":
            choice["finish_reason"] = fault
        case "surrogate":
            choice["message"]["content"] = "half \ud800 a character"
        case "malformed_json":
            return web.Response(text=json.dumps(good)[:-9], content_type="application/json")
        case "deep_json":
            return web.Response(text="[" * 50_000, content_type="application/json")
        case "huge_number":
            return web.Response(text="9" * 5_000, content_type="application/json")
        case "not_utf8":
            return web.Response(body=b'{"choices": "\xff"}', content_type="application/json")
        case _:
            raise AssertionError(f"no such fault: {fault}")
    return web.json_response(good)


async def _drip(request: web.Request, fault: str) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "100000"})
    await response.prepare(request)
    for _ in range(100 if fault == "slow_drip" else 1):
        await response.write(b"{")
        await asyncio.sleep(0.05 if fault == "slow_drip" else 0)
    assert request.transport is not None
    request.transport.abort()
    return response
