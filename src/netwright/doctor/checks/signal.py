"""What goes through a fresh network: signals forwards, gradients backwards, layer by layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Literal

from torch import Tensor

from netwright.doctor import plant
from netwright.doctor.check import StartCheck
from netwright.doctor.finding import Finding
from netwright.doctor.start import Start
from netwright.model_file import Model
from netwright.words import counted, listed

VANISHED, EXPLODED = 1e-3, 1e3  # spread over a batch; inputs have about 1
MANY_DEAD = 0.75  # of a layer's units; behind many layers half of them are, since examples grow alike (docs/log.md)
_ALIKE = 1e-6  # of the largest value
_FEWEST = 8  # examples; in a smaller batch units sleep by chance
_SHOWN = 4


class Spread(StartCheck):
    """The spread of each layer's values over the batch, which should stay near that of the inputs."""

    fault: ClassVar[str] = "first weights 1000 times too small"

    def look(self, start: Start) -> list[Finding]:
        """The layers whose values have vanished or exploded; see `StartCheck.look`."""
        if start.examples < 2:  # which differs from nothing
            return []
        behind = {name for node in start.nodes for name in node.inputs}  # else an output, which may begin at 0
        spreads = {name: _spread(of) for name, of in start.values.items() if start.fresh or name in behind}
        low = {name: spread for name, spread in spreads.items() if spread < VANISHED}
        high = {name: spread for name, spread in spreads.items() if not spread <= EXPLODED}
        if not low and not high:
            return [Finding("spread", "good", f"values keep their spread, {_range(list(spreads.values()))}")]
        findings = []
        for found, what, cure in (
            (low, "vanishes: behind it every example looks the same", "Use fewer layers, relu, or connect: residual."),
            (high, "explodes: small steps change everything", "Use fewer layers, or look at the scale of the inputs."),
        ):
            if found:
                shown = listed([f"{name} ({spread:.1e})" for name, spread in found.items()], _SHOWN)
                findings.append(Finding("spread", "note", f"the signal in {shown} {what}", cure))
        return findings

    def planted(self) -> Start:
        """Every weight a thousandth of what it was; see `StartCheck.planted`."""
        return plant.start(harm=_scaled(1e-3))


class Symmetry(StartCheck):
    """Hidden layers whose units all give the same value: they get the same gradient and stay the same for ever."""

    fault: ClassVar[str] = "all first weights 0"

    def look(self, start: Start) -> list[Finding]:
        """The layers of equal units; an output layer may begin at 0; see `StartCheck.look`."""
        behind = {name for node in start.nodes for name in node.inputs}
        hidden = [node for node in start.nodes if node.parameters and node.name in behind]
        alike = [node.name for node in hidden if _all_alike(start.values[node.name])]
        if not alike:
            layers = counted(len(hidden), "hidden layer")
            return [Finding("symmetry", "good", f"the units of {layers} differ")] if hidden else []
        told = (
            f"all units of {listed(alike, _SHOWN)} give the same value: they also get the same gradient, "
            "so that the layer is worth a single unit for ever"
        )
        return [Finding("symmetry", "bad", told, "Draw the first weights by chance: no initialiser of equal weights.")]

    def planted(self) -> Start:
        """Every weight 0; see `StartCheck.planted`."""
        return plant.start(harm=_scaled(0.0))


class DeadUnits(StartCheck):
    """Relu units that are 0 for every example of the batch: no gradient reaches the weights in front of them."""

    fault: ClassVar[str] = "biases of -10 in front of relu"

    def look(self, start: Start) -> list[Finding]:
        """The layers of which more than three quarters are dead; see `StartCheck.look`."""
        layers = [node.name for node in start.nodes if node.part == "relu"]
        if not layers or start.examples < _FEWEST:
            return []
        dead = {name: _dead_share(start.values[name]) for name in layers}
        many = {name: share for name, share in dead.items() if share > MANY_DEAD}
        if not many:
            told = f"at most {100 * max(dead.values()):.0f} % of a relu layer's units are 0 for all examples"
            return [Finding("dead units", "good", told)]
        shown = listed([f"{100 * share:.0f} % of {name}" for name, share in many.items()], _SHOWN)
        told = f"{shown} is 0 for all {start.examples} examples looked at: no gradient reaches these units"
        return [Finding("dead units", "note", told, "Use leaky_relu, and biases that begin at 0.")]

    def planted(self) -> Start:
        """Biases that hold every unit below 0; see `StartCheck.planted`."""

        def hold_down(model: Model) -> None:
            for name, weight in model.network.named_parameters():
                if name.endswith("bias") and "head:" not in name:
                    weight.fill_(-10)

        return plant.start(harm=hold_down)


class Gradients(StartCheck):
    """Every layer gets a gradient, and it is a number."""

    fault: ClassVar[str] = "a weight that is NaN"

    def look(self, start: Start) -> list[Finding]:
        """The layers with no gradient, and those with one that is no number; see `StartCheck.look`."""
        findings = []
        broken = [name for name, of in start.gradients.items() if not all(bool(g.isfinite().all()) for g in of)]
        late = "outputs begin at 0; what is in front of them learns from the second step on" if start.silent else ""
        still = [] if late else [name for name, of in start.gradients.items() if not any(bool(g.any()) for g in of)]
        if broken:
            findings.append(_gradient("bad", broken, "is no number", "Look for wild values: netwright data check."))
        if still:
            findings.append(_gradient("note", still, "is 0", "Nothing is learned there: look at the layers behind."))
        layers = "every layer" if len(start.gradients) > 1 else "the layer"
        return findings or [Finding("gradients", "good", late or f"{layers} with weights gets one")]

    def planted(self) -> Start:
        """One NaN among the first layer's weights; see `StartCheck.planted`."""

        def spoil(model: Model) -> None:
            next(iter(model.network.parameters())).view(-1)[0] = float("nan")

        return plant.start(harm=spoil)


class Vanishing(StartCheck):
    """A gradient of which next to nothing reaches the first layer: the layers in front stay as they were drawn."""

    fault: ClassVar[str] = "twelve layers of sigmoid"

    def look(self, start: Start) -> list[Finding]:
        """The share that is left, and what relu would leave; see `StartCheck.look`."""
        back = start.back
        if back is None or not start.fresh:
            return []
        through = f"{back.layers} layers"
        if not back.vanishes:
            return [Finding("vanishing", "good", f"{back.first} gets {back.share:.2g} of {back.last}'s gradient")]
        told = f"the gradient vanishes: through {through}, {back.first} gets {back.share:.1e} of what {back.last} gets"
        cure = "Use fewer layers, batch_norm between them, or connect: residual."
        if start.relu is not None and start.relu.share > back.share:
            cure = (
                f"Write relu: measured on the same examples, {start.relu.first} then gets {start.relu.share:.2g} of "
                f"{start.relu.last}'s."
            )
        return [Finding("vanishing", "note", told, cure)]

    def planted(self) -> Start:
        """Every layer's slope is at most a quarter; see `StartCheck.planted`."""
        return plant.start("x12 {dense 16, sigmoid}")


def _gradient(state: Literal["note", "bad"], layers: list[str], what: str, cure: str) -> Finding:
    return Finding("gradients", state, f"the first gradient of {listed(layers, _SHOWN)} {what}", cure)


def _scaled(factor: float) -> Callable[[Model], None]:
    def scale(model: Model) -> None:
        for weight in model.network.parameters():
            weight.mul_(factor)

    return scale


def _spread(values: Tensor) -> float:
    """How much a unit's value differs from example to example, root mean square over the units."""
    return float(values.float().std(dim=0, correction=0).square().mean().sqrt())


def _range(spreads: list[float]) -> str:
    return f"{min(spreads):.2g} to {max(spreads):.2g}" if spreads else "there are no layers"


def _all_alike(values: Tensor) -> bool:
    """Whether every unit (channel of a picture) gives what the first one gives."""
    if values.shape[1] < 2:
        return False
    away = (values - values[:, :1]).abs().max()
    return bool(away <= _ALIKE * values.abs().max())


def _dead_share(values: Tensor) -> float:
    """Share of units (channels of a picture) that are 0 for every example at every place."""
    units = values.transpose(0, 1).flatten(1)
    return float((units == 0).all(dim=1).float().mean())
