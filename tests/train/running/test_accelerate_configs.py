"""The shipped accelerate configs mean what they say, by accelerate's own parser and plugins.

None of them is run here: FSDP2 and DeepSpeed need GPUs. What can be known without any is what
accelerate makes of them, up to the environment that each process would get.
"""

import argparse
import json
import os
from pathlib import Path
from typing import Any

import pytest

from potstill.pipeline.errors import RequestError
from potstill.train.running import accelerate_config
from potstill.train.running.accelerate_config import shipped
from potstill.train.running.cluster import ALONE, Cluster, find_cluster
from potstill.train.running.launcher import launch_command
from potstill.train.running.numerics import Numerics
from potstill.train.settings import TrainingSettings

pytest.importorskip("accelerate", reason="the train extra is not installed")

ON_GPU = Numerics("cuda", "float32", "bfloat16", threads=4, processes=8)
SHIPPED = [
    # name, processes, machines, sharding, ZeRO stage, weights and optimizer in the main memory
    ("ddp-8", 8, 1, "none", None, False),
    ("fsdp2-1", 1, 1, "fsdp", None, True),
    ("fsdp2-8", 8, 1, "fsdp", None, False),
    ("fsdp2-64", 64, 8, "fsdp", None, False),
    ("deepspeed-zero2-1", 1, 1, "deepspeed", 2, True),
    ("deepspeed-zero2-8", 8, 1, "deepspeed", 2, False),
    ("deepspeed-zero2-64", 64, 8, "deepspeed", 2, False),
    ("deepspeed-zero3-1", 1, 1, "deepspeed", 3, True),
    ("deepspeed-zero3-8", 8, 1, "deepspeed", 3, False),
    ("deepspeed-zero3-64", 64, 8, "deepspeed", 3, False),
]


def ask(**fields: Any) -> Cluster:
    return find_cluster(TrainingSettings(**{"batch_size": 64, **fields}))


@pytest.fixture
def with_deepspeed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if it were installed: nothing here imports it."""
    monkeypatch.setattr(accelerate_config, "find_spec", lambda name: name)
    monkeypatch.setenv("MASTER_ADDR", "node-0")
    monkeypatch.setenv("MASTER_PORT", "29876")


def dry_run(
    cluster: Cluster, machine: str, monkeypatch: pytest.MonkeyPatch
) -> tuple[argparse.Namespace, dict[str, str]]:
    """Arguments of torchrun and the environment, as `accelerate launch` would make them."""
    from accelerate.commands.launch import _validate_launch_command, launch_command_parser
    from accelerate.utils import launch

    # Here may be no GPU, and a port of machine 0 may be taken: that is asked when it really starts.
    monkeypatch.setattr(launch, "is_port_in_use", lambda port: False)
    command = launch_command(Path("/work/job"), cluster, ON_GPU, machine)
    parsed = launch_command_parser().parse_args(command[3:])
    args, defaults, _ = _validate_launch_command(parsed)
    assert (args.training_script, args.training_script_args) == (
        "potstill.train.running.rank",
        ["/work/job"],
    )
    assert args.module
    assert not args.cpu
    if args.use_deepspeed:
        args.deepspeed_fields_from_accelerate_config = ",".join(defaults.deepspeed_config)
        own_launcher, environment = launch.prepare_deepspeed_cmd_env(args)
        assert own_launcher is None  # torchrun on each machine, not pdsh from one
    else:
        environment = launch.prepare_multi_gpu_env(args)
    return args, environment


def test_all_shipped_configs_are_in_the_table() -> None:
    assert sorted(name for name, *_ in SHIPPED) == sorted(shipped())


@pytest.mark.usefixtures("with_deepspeed")
@pytest.mark.parametrize(("name", "processes", "machines", "sharding", "stage", "offload"), SHIPPED)
def test_shipped(
    name: str,
    processes: int,
    machines: int,
    sharding: str,
    stage: int | None,
    offload: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = ask(accelerate=name)
    assert (cluster.processes, cluster.machines, cluster.sharding) == (
        processes,
        machines,
        sharding,
    )
    args, environment = dry_run(cluster, "0", monkeypatch)
    assert int(args.nproc_per_node) == processes // machines
    assert environment["ACCELERATE_MIXED_PRECISION"] == "bf16"
    if machines > 1:
        last, _ = dry_run(cluster, "7", monkeypatch)
        assert (int(last.nnodes), last.node_rank) == (8, 7)
        assert (last.rdzv_backend, last.rdzv_endpoint) == ("static", "node-0:29876")
    for key, value in environment.items():
        if key.startswith(("FSDP_", "ACCELERATE_")):
            monkeypatch.setenv(key, value)
    plugin = {"none": None, "fsdp": fsdp_plugin, "deepspeed": zero_plugin}[sharding]
    if plugin is not None:
        plugin(stage, offload)


def fsdp_plugin(stage: int | None, offload: bool) -> None:
    from accelerate.utils import FullyShardedDataParallelPlugin
    from torch.distributed.fsdp import CPUOffloadPolicy, StateDictType
    from torch.distributed.fsdp.wrap import transformer_auto_wrap_policy

    assert os.environ["ACCELERATE_USE_FSDP"] == "true"
    plugin = FullyShardedDataParallelPlugin()
    assert plugin.fsdp_version == 2
    assert plugin.reshard_after_forward is True
    assert plugin.state_dict_type is StateDictType.FULL_STATE_DICT
    assert plugin.cpu_ram_efficient_loading is True
    assert plugin.auto_wrap_policy is transformer_auto_wrap_policy
    assert plugin.transformer_cls_names_to_wrap is None  # the model names its own layers
    assert isinstance(plugin.cpu_offload, CPUOffloadPolicy) is offload


def zero_plugin(stage: int | None, offload: bool) -> None:
    from accelerate.utils import DeepSpeedPlugin

    assert os.environ["ACCELERATE_USE_DEEPSPEED"] == "true"
    plugin = DeepSpeedPlugin()
    zero = plugin.deepspeed_config["zero_optimization"]
    assert zero["stage"] == plugin.zero_stage == stage
    assert plugin.zero3_init_flag is (stage == 3)
    assert zero["stage3_gather_16bit_weights_on_model_save"] is (stage == 3)
    assert zero["offload_optimizer"]["device"] == ("cpu" if offload else "none")
    assert zero["offload_param"]["device"] == ("cpu" if offload and stage == 3 else "none")
    # What the recipe says is what counts: trl fills these in.
    assert plugin.gradient_accumulation_steps == "auto"
    assert plugin.deepspeed_config["train_micro_batch_size_per_gpu"] == "auto"


def test_processes_without_a_config() -> None:
    assert ask() is ALONE
    assert ask(processes=2) == Cluster(shipped()["ddp-8"], processes=2)
    assert ask(processes=4, accelerate="fsdp2-8").processes == 4
    assert Cluster(processes=64, machines=8).threads(32) == 4
    assert Cluster(processes=8).threads(2) == 1


FSDP = {"distributed_type": "FSDP", "num_processes": 8}
ZERO = {"distributed_type": "DEEPSPEED", "num_processes": 8}
REFUSED = [
    # what the file says, other fields, what the message says
    ({**FSDP, "fsdp_config": {"fsdp_state_dict_type": "SHARDED_STATE_DICT"}}, {}, "whole weights"),
    ({**FSDP, "fsdp_config": {"fsdp_version": 2}}, {}, "fsdp_state_dict_type is not set"),
    ({**ZERO, "deepspeed_config": {"zero_stage": 3}}, {}, "zero3_save_16bit_model: true"),
    ({**ZERO, "deepspeed_config": {"deepspeed_config_file": "none"}}, {}, "none cannot be read"),
    ({"distributed_type": "XLA", "num_processes": 8}, {}, "XLA cannot be used"),
    ({"distributed_type": "NOVEL"}, {}, "no config of accelerate"),
    ({"distributed_type": "FSDP", "processes": 8}, {}, r"unknown keys \(\['processes'\]\)"),
    ({"num_processes": 8}, {}, "`distributed_type` must be specified"),
    ([1, 2], {}, "no config of accelerate"),
    ({"distributed_type": "MULTI_GPU"}, {}, "-1 processes cannot be shared out"),
    (
        {"distributed_type": "MULTI_GPU", "num_processes": 9, "num_machines": 2},
        {},
        "9 processes cannot be shared out among 2",
    ),
    (
        {"distributed_type": "MULTI_GPU", "num_processes": 8},
        {"batch_size": 12},
        "batch_size 12 is not a multiple of processes 8",
    ),
    (
        {"distributed_type": "MULTI_GPU", "num_processes": 8},
        {"micro_batch": 3, "batch_size": 96},
        None,
    ),
    (
        {"distributed_type": "MULTI_GPU", "num_processes": 16},
        {"micro_batch": 4, "batch_size": 96},
        "over 16 processes is not a multiple of micro_batch 4",
    ),
]


@pytest.mark.usefixtures("with_deepspeed")
@pytest.mark.parametrize(("config", "fields", "message"), REFUSED)
def test_own_files(
    tmp_path: Path, config: Any, fields: dict[str, Any], message: str | None
) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(json.dumps(config))  # JSON is YAML
    if message is None:
        assert ask(accelerate=str(file), **fields).processes == 8
        return
    with pytest.raises(RequestError, match=message):
        ask(accelerate=str(file), **fields)


def test_what_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RequestError, match=r"no shipped config and no file here; .*'fsdp2-8'"):
        ask(accelerate="fsdp-8")
    monkeypatch.setattr(accelerate_config, "find_spec", lambda name: None)
    with pytest.raises(
        RequestError, match=r"needs deepspeed, not installed.*pip install deepspeed"
    ):
        ask(accelerate="deepspeed-zero3-8")
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    with pytest.raises(RequestError, match=r"for 8 machines.*MASTER_ADDR"):
        ask(accelerate="fsdp2-64")


def test_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    ask(processes=2).refuse_unusable("cpu")
    with pytest.raises(RequestError, match=r"fsdp2-8.*needs GPUs.*runs on the CPU"):
        ask(accelerate="fsdp2-8").refuse_unusable("cpu")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    ask(processes=4).refuse_unusable("cuda")
    with pytest.raises(RequestError, match=r"wants 8 processes.*torch sees 4. Set processes: 4"):
        ask(accelerate="fsdp2-8").refuse_unusable("cuda")
