"""Which attention is used where, and what is refused; PyTorch's varlen kernel by its contract.

The kernels themselves need a GPU: here the machine's answers are replaced, and the varlen kernel
by a plain computation with its signature, so that shapes, borders and windows are checked.
"""

import importlib.util
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from potstill.pipeline.errors import RequestError
from potstill.train.rows.isolation import leak
from potstill.train.running import attention, varlen
from potstill.train.running.attention import skips_padding, use_attention
from potstill.train.running.numerics import Numerics
from potstill.train.sft import Sft

pytest.importorskip("trl", reason="the train extra is not installed")

CPU = Numerics("cpu", "float32", "float32", 1, 1)
GPU = Numerics("cuda", "float32", "bfloat16", 1, 1)
GPU_FLOAT32 = Numerics("cuda", "float32", "float32", 1, 1)
FAMILIES = {
    "Qwen2": {},
    "Mistral": {"sliding_window": 5},
    "DeepseekV3": {
        "num_key_value_heads": 2,
        "q_lora_rank": 16,
        "kv_lora_rank": 16,
        "qk_rope_head_dim": 8,
        "qk_nope_head_dim": 16,
        "v_head_dim": 16,
        "first_k_dense_replace": 2,
    },
}


def settings(**fields: Any) -> Sft:
    return Sft(data="mixture", model="./student", **fields)


def tiny(family: str = "Qwen2", **own: Any) -> Any:
    import torch
    import transformers

    sizes: dict[str, Any] = {
        "vocab_size": 320,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "initializer_range": 0.1,
    }
    torch.manual_seed(0)
    config = getattr(transformers, f"{family}Config")(**{**sizes, **FAMILIES[family], **own})
    return getattr(transformers, f"{family}ForCausalLM")._from_config(config).eval()


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Pretend a GPU of a generation, and packages beside torch."""

    def pretend(capability: tuple[int, int] = (9, 0), packages: tuple[str, ...] = ()) -> None:
        import torch

        found = {*packages, "torch.nn.attention.varlen"}
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
        monkeypatch.setattr(
            attention, "find_spec", lambda name: SimpleNamespace() if name in found else None
        )

    return pretend


FASTEST = [
    # numerics, generation, packages, the model's own settings; what is chosen
    (CPU, (9, 0), (), {}, "sdpa"),
    (GPU_FLOAT32, (9, 0), (), {}, "sdpa"),
    (GPU, (7, 5), (), {}, "sdpa"),
    (GPU, (8, 0), (), {}, "varlen"),
    (GPU, (9, 0), (), {"attention_dropout": 0.1}, "sdpa"),
    (GPU, (9, 0), ("flash_attn",), {}, "flash_attention_2"),
    (GPU, (9, 0), ("flash_attn", "flash_attn_interface"), {}, "flash_attention_3"),
]


@pytest.mark.parametrize(("numerics", "capability", "packages", "own", "expected"), FASTEST)
def test_auto(
    machine: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    numerics: Numerics,
    capability: tuple[int, int],
    packages: tuple[str, ...],
    own: dict[str, Any],
    expected: str,
) -> None:
    model = tiny(**own)
    machine(capability, packages)
    asked: list[str] = []
    monkeypatch.setattr(
        type(model), "set_attn_implementation", lambda self, name: asked.append(name)
    )
    use_attention(model, settings(), numerics)
    assert asked == [expected]
    assert skips_padding(expected) is (expected != "sdpa")


def test_a_hub_kernel_skips_padding_too() -> None:
    assert skips_padding("kernels-community/flash-attn2")
    assert not skips_padding("flex_attention")


REFUSED = [
    (CPU, {"attention": "flash_attention_2"}, "needs an NVIDIA GPU .* runs on cpu in float32"),
    (CPU, {"attention": "varlen"}, "needs an NVIDIA GPU"),
    (GPU_FLOAT32, {"attention": "varlen"}, "runs on cuda in float32"),
    (GPU, {"attention": "flash_attention_3"}, "needs the package flash_attn_interface"),
    (CPU, {"kernels": True}, "needs a GPU"),
    (GPU, {"kernels": True}, "needs the library kernels"),
]


@pytest.mark.parametrize(("numerics", "fields", "message"), REFUSED)
def test_refused(
    machine: Callable[..., None], numerics: Numerics, fields: dict[str, Any], message: str
) -> None:
    model = tiny()
    machine()
    given = settings(**{"attention": "sdpa", **fields})
    with pytest.raises(RequestError, match=message):
        use_attention(model, given, numerics)


def test_kernels_that_cannot_be_fetched(
    machine: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny()
    machine(packages=("kernels",))

    def offline(self: Any, use: bool) -> None:
        raise OSError("cannot reach the hub")

    monkeypatch.setattr(type(model), "set_use_kernels", offline)
    with pytest.raises(RequestError, match=r"cannot reach the hub.*does not use the network"):
        use_attention(model, settings(attention="sdpa", kernels=True), GPU)


def test_an_attention_that_the_model_lacks(machine: Callable[..., None]) -> None:
    import transformers

    config = transformers.GptOssConfig(
        vocab_size=320,
        hidden_size=64,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=32,
        num_local_experts=2,
    )
    model = transformers.GptOssForCausalLM._from_config(config)
    with pytest.raises(RequestError, match="attention: sdpa cannot be used with this model"):
        use_attention(model, settings(attention="sdpa"), CPU)


def plain_kernel(
    query: Any,
    key: Any,
    value: Any,
    cu_seq_q: Any,
    cu_seq_k: Any,
    max_q: int,
    max_k: int,
    *,
    scale: float | None,
    window_size: tuple[int, int],
    enable_gqa: bool,
) -> Any:
    """`torch.nn.attention.varlen.varlen_attn` in the words of its documentation."""
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    assert query.shape[-1] == key.shape[-1] == value.shape[-1]
    assert max_q == int(cu_seq_q.diff().max()) == max_k
    assert cu_seq_q.dtype == torch.int32
    left, right = window_size
    assert right == 0
    rows = []
    for start, end in zip(cu_seq_q.tolist(), cu_seq_k.tolist()[1:], strict=False):
        places = torch.arange(end - start)
        back = places[:, None] - places[None, :]
        seen = (back >= 0) & ((back <= left) | torch.tensor(left == -1))
        here = [each[start:end].transpose(0, 1) for each in (query, key, value)]
        made = scaled_dot_product_attention(
            *here, attn_mask=seen, scale=scale, enable_gqa=enable_gqa
        )
        rows.append(made.transpose(0, 1))
    return torch.cat(rows)


@pytest.fixture
def varlen_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """`varlen`, computed plainly; counts its calls."""
    module = pytest.importorskip("torch.nn.attention.varlen")
    calls: list[int] = []

    def counted(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        return plain_kernel(*args, **kwargs)

    monkeypatch.setattr(module, "varlen_attn", counted)
    varlen.register_varlen()
    return calls


def refuse_differences(model: Any) -> None:
    """Logits and gradients of three rows in one sequence: varlen against sdpa, in bfloat16."""
    import torch
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    rows = [{"input_ids": [(7 * place) % 320 for place in range(length)]} for length in (9, 1, 23)]
    batch = DataCollatorForLanguageModeling(pad_token_id=0, padding_free=True)(rows)
    here = {
        name: value.to(model.device) if hasattr(value, "to") else value
        for name, value in batch.items()
    }
    found = []
    for name in ("sdpa", "varlen"):
        model.set_attn_implementation(name)
        model.zero_grad()
        outputs = model(**here, use_cache=False)
        outputs.loss.backward()
        gradient = model.model.layers[0].mlp.up_proj.weight.grad
        found.append((outputs.logits.float(), gradient.float().clone()))
    torch.testing.assert_close(found[1], found[0], rtol=0.1, atol=0.05)
    assert leak(model) < 0.02


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_varlen_computes_what_sdpa_computes(varlen_on_the_cpu: list[int], family: str) -> None:
    import torch

    refuse_differences(tiny(family).to(torch.bfloat16))
    assert varlen_on_the_cpu


def test_varlen_leaves_other_batches_to_sdpa(varlen_on_the_cpu: list[int]) -> None:
    """Padded rows, and generation with a cache while training is evaluated."""
    import torch

    model = tiny("Mistral")
    ids = torch.arange(24).reshape(2, 12)
    mask = torch.ones_like(ids)
    mask[0, :5] = 0
    found = []
    for name in ("sdpa", "varlen"):
        model.set_attn_implementation(name)
        with torch.no_grad():
            logits = model(input_ids=ids, attention_mask=mask).logits[mask.bool()]
        made = model.generate(ids, attention_mask=mask, max_new_tokens=12, do_sample=False)
        found.append((logits, made))
    assert not varlen_on_the_cpu
    torch.testing.assert_close(found[1], found[0])


@pytest.mark.parametrize(
    "fact", [{"dropout": 0.1}, {"softcap": 30.0}, {"s_aux": 1}, {"position_bias": 1}]
)
def test_varlen_refuses_what_it_cannot_do(fact: dict[str, Any]) -> None:
    with pytest.raises(RequestError, match=f"cannot do the {next(iter(fact))} of this model"):
        varlen.varlen_attention(None, None, None, None, None, cu_seq_lens_q=1, **fact)


@pytest.mark.gpu
@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_varlen_on_a_gpu(family: str) -> None:
    import torch

    if (
        not torch.cuda.is_available()
        or importlib.util.find_spec("torch.nn.attention.varlen") is None
    ):
        pytest.skip("no GPU here")
    model = tiny(family).to("cuda", torch.bfloat16)
    assert use_attention(model, settings(attention="varlen"), GPU) == "varlen"
    refuse_differences(model)
