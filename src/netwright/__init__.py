"""netwright: you say what goes in and what comes out; it trains the neural network and shows what it learned.

    import netwright

    spec = netwright.Spec(data={"path": "sklearn:digits"}, outputs={"category": {}})
    outcome = netwright.train(spec)                      # a run folder with model and report
    model = netwright.load(outcome.model)                # runs no code, checks itself
    netwright.predict(outcome.run, ["new.png"])          # a table: likeliest class, all probabilities

Names are imported when first used, so that `import netwright` is quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netwright.model_file import Model, load
    from netwright.registry import register
    from netwright.run import evaluate, evaluate_crops, features, plan, predict, report, resume, train
    from netwright.spec import Spec
    from netwright.spec import load as load_spec
    from netwright.studies import compare, restarts, transfer

_PUBLIC = {
    "Model": "netwright.model_file:Model",
    "Spec": "netwright.spec:Spec",
    "compare": "netwright.studies:compare",
    "evaluate": "netwright.run:evaluate",
    "evaluate_crops": "netwright.run:evaluate_crops",
    "features": "netwright.run:features",
    "load": "netwright.model_file:load",
    "load_spec": "netwright.spec:load",
    "plan": "netwright.run:plan",
    "predict": "netwright.run:predict",
    "register": "netwright.registry:register",
    "report": "netwright.run:report",
    "restarts": "netwright.studies:restarts",
    "resume": "netwright.run:resume",
    "train": "netwright.run:train",
    "transfer": "netwright.studies:transfer",
}

__all__ = [
    "Model",
    "Spec",
    "compare",
    "evaluate",
    "evaluate_crops",
    "features",
    "load",
    "load_spec",
    "plan",
    "predict",
    "register",
    "report",
    "restarts",
    "resume",
    "train",
    "transfer",
]


def __getattr__(name: str) -> object:
    """A public name, imported now."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'netwright' has no attribute {name!r}")
    module, _, attribute = _PUBLIC[name].partition(":")
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted(__all__)
