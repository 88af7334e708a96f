"""A net with branches and merges on a real table: the drawn graph is the executed one."""

from __future__ import annotations

import html
import re
import sys
from pathlib import Path

import torch
from proof import Plain, Proof, score

import netwright

LAYERS = "{dense 16, relu | dense 16, tanh} concat, {dense 32, relu | same} add"
WORDS = f"wine --layers '{LAYERS}'"


def main() -> int:
    """Trains the branched net with several seeds, runs it under hooks and compares node by node."""
    proof = Proof(__file__, "a net with branches and merges; the drawn graph against the executed one", (2, 4))

    def one(seed: int, place: Path) -> Plain:
        found = proof.train(f"{WORDS} --seed {seed}", place)
        drawn = found["graph"]["nodes"]  # type: ignore[index]
        page = html.unescape((place / "report.html").read_text(encoding="utf-8"))
        return {
            "accuracy": 100 * score(found, "test", "accuracy"),
            "equal": _listed(drawn) == _executed(place),
            "on page": all(_is_drawn(node, page) for node in drawn),
            "nodes": len(drawn),
            "merges": sum(node["text"] in {"add", "concat"} for node in drawn),
            "parameters": found["parameters"],
        }

    results = proof.seeds("wine", 10 if proof.full else 3, one)
    proof.check(
        "node list, shapes and parameter counts are those of the executed graph", all(r["equal"] for r in results)
    )
    proof.check("every node stands in the report's drawing", all(r["on page"] for r in results))
    proof.check("both merges are there", {r["merges"] for r in results} == {2})
    told = proof.mean("wine, test accuracy, %", [float(r["accuracy"]) for r in results], at_least=90, digits=1)  # type: ignore[arg-type]
    first = results[0]
    measured = f"{first['nodes']} nodes, {first['parameters']:,} parameters: drawn = executed; {told} % right"
    proof.row("A06", "Feed-forward network as a DAG", f"netwright train {WORDS}", measured)
    return proof.end()


def _listed(nodes: list[dict[str, object]]) -> list[tuple[str, tuple[int, ...], int]]:
    return [(str(n["name"]), tuple(n["shape"]), int(n["parameters"])) for n in nodes]  # type: ignore[arg-type, call-overload]


def _executed(run: Path) -> list[tuple[str, tuple[int, ...], int]]:
    """Every node in the order in which it ran, with the shape that came out and the parameters that it holds."""
    model = netwright.load(run / "model.netwright")
    network, ran = model.network, []
    owners = {id(network.module(node.name)): node.name for node in network.nodes if node.inputs}

    def note(module: torch.nn.Module, _: object, out: torch.Tensor) -> None:
        ran.append((owners[id(module)], tuple(out.shape[1:]), sum(p.numel() for p in module.parameters())))

    for node in network.nodes:
        if node.inputs:
            network.module(node.name).register_forward_hook(note)
    inputs = {n.name: n for n in network.nodes if not n.inputs}
    given = {name.removeprefix("input:"): torch.zeros(2, *node.shape) for name, node in inputs.items()}
    with torch.inference_mode():
        network(given)
    return [*((name, tuple(node.shape), 0) for name, node in inputs.items()), *ran]


def _is_drawn(node: dict[str, object], page: str) -> bool:
    """The node's words and its parameter count stand in the page."""
    count = f"{node['parameters']:,}"
    return str(node["text"]) in page and re.search(rf"\b{re.escape(count)}\b", page) is not None


if __name__ == "__main__":
    sys.exit(main())
