"""C21: data larger than the memory allowed is streamed; the memory of the process itself stays small."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.faults.conftest import Start

# 2.4 GB of inputs on a sparse file; the process may allocate 400 MB more than it has at the start.
TRAIN = """
import dataclasses, json, resource, sys; from pathlib import Path
import numpy as np, torch
from netwright import spec
from netwright.data.batches import Batches
from netwright.data.dataset import prepare
from netwright.model_file import assemble
from netwright.training.history import History
from netwright.training.loop import Budget, Plan, Training
from netwright.training.observers import Observer

torch.set_num_threads(1)
text = "{inputs: {x: vector}, outputs: {y: number}, model: {layers: ''}}"
draw = np.random.default_rng(0).normal(size=(50, 1000)).astype(np.float32)
wanted = spec.load(text)
small = prepare(wanted, data={"x": draw, "y": draw[:, 0] * 2.0})
COUNT = 600_000
x = np.memmap("x.bin", np.float32, "w+", shape=(COUNT, 1000))
y = np.memmap("y.bin", small.arrays["y"].dtype, "w+", shape=(COUNT,))
parts = {"train": np.arange(COUNT - 1000), "validation": np.arange(COUNT - 1000, COUNT), "test": np.arange(0)}
large = dataclasses.replace(small, arrays={"x": x, "y": y}, rows=np.arange(COUNT), parts=parts)

def anonymous_mb():
    line = next(line for line in open("/proc/self/status") if line.startswith("RssAnon"))
    return int(line.split()[1]) / 1024

resident, why = large.resident()
before = anonymous_mb()
line = next(line for line in open("/proc/self/status") if line.startswith("VmData"))
limit = int(line.split()[1]) * 1024 + 400 * 2**20
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
most = 0.0

class Look(Observer):
    def step(self, training):
        global most
        most = max(most, anonymous_mb())

model = assemble(wanted, large.inputs, large.outputs, 0)
network, task = model.network, model.tasks["y"]
plan = Plan({"net": network}, {"net": torch.optim.SGD(network.parameters(), lr=0.01)},
            lambda batch: {"y": task.terms(network(batch.inputs)["y"], batch.targets["y"]).mean()},
            Batches(large, "train", 512, 0, shuffle=True, resident=resident), Budget(1, steps=60), 0)
training = Training(plan, [], [Look()], History(None))
training.run()
refused = False
try:
    Batches(large, "train", 512, 0, shuffle=True, resident=True)
except (MemoryError, RuntimeError):
    refused = True
told = {"resident": resident, "why": why.why, "grown": most - before, "step": training.step, "refused": refused}
print(json.dumps(told), flush=True)
"""


def test_c21_data_larger_than_memory_is_streamed(start: Start, tmp_path: Path) -> None:
    process = start(code=TRAIN, env={"THP_MEM_ALLOC_ENABLE": "1"})  # as the command line; half of it without
    assert process.ends() == 0, process.says()
    told = json.loads(process.says().splitlines()[-1])
    assert told["resident"] is False
    assert "MB coded" in told["why"]
    assert told["step"] == 60
    assert told["grown"] < 300, told  # of 2,400
    assert told["refused"], "the limit was no limit: everything fitted into memory"
