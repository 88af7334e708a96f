"""What became known about one input or output once its data was seen: what the model file keeps of it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

Scalar = str | int | float | bool
ONE_CLASS = ("category", "identity")  # kinds whose cells are the code of one class
STEPS = -1  # the first number of a sequence's shape: each example has a number of steps of its own
END, END_CODE = "<end>", 1  # the token behind the last one of a text that comes out, and its code
_TAUGHT = ("most_steps", "step", "extent")  # options that are learned from the training part
TOKENS = {"spaces": "words", "bpe": "pieces of words"}  # what tokens are called where their name says it otherwise
UNKNOWN, UNKNOWN_CODE = "<unknown>", 0  # the token that stands for all that training did not see, and its code


class Frozen(BaseModel):
    """Values that are checked once and never change; an unknown name is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Reason(Frozen):
    """Why a setting has its value, e.g. `("training.optimizer", "adam", "needs little tuning")`."""

    path: str
    value: str
    why: str


class Field(Frozen):
    """What is known about one input or output once its data was seen.

    Args:
        name: Its name in the spec.
        kind: image, number, category, vector, date, tags, identity.
        source: The column (or columns, for a vector) it is read from.
        shape: Of one cached array: image (height, width, channel), vector (channel,), else (); of a sequence that of
            one step.
        dtype: Of the cached array, e.g. "uint8".
        ragged: Whether each example has a number of steps of its own.
        vocabulary: Class names of a category, tags or identities, sorted; the code is the place in this tuple. Of a
            text the tokens of the training part, the frequent ones first, behind `UNKNOWN`.
        mean: Fitted on the training part: per channel of an image in 0..1, per column of a vector, one for a number.
        std: Like `mean`; never 0.
        limits: Of quantities and dates: least and largest training value of each column.
        steps: Of sequences: the fewest and the most steps of a training example; () where it was not counted.
        missing: How many training cells of each column had no value; () where every cell must have one.
        thresholds: Of tags the probability from which each is given, of identities how far a known one may lie.
        centres: Of identities: the mean direction of each one's embeddings; () for one that had no training example.
        grams: Of a text that is read off a sequence: stretches of training tokens, and how often each stands there.
        parts: What else than the days since the mean is coded of a date, as found in the training part.
        options: The kind's own decisions, e.g. the resize filter.
    """

    name: str
    kind: str
    source: str | tuple[str, ...]
    shape: tuple[int, ...] = ()
    dtype: str
    ragged: bool = False
    vocabulary: tuple[str, ...] = ()
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    limits: tuple[tuple[float, float], ...] = ()
    steps: tuple[int, ...] = ()
    missing: tuple[int, ...] = ()
    parts: tuple[str, ...] = ()
    thresholds: tuple[float, ...] = ()
    centres: tuple[tuple[float, ...], ...] = ()
    grams: tuple[tuple[int, ...], ...] = ()
    options: dict[str, Scalar] = {}

    def unfitted(self) -> Field:
        """The field as it was planned, without what training taught it."""
        taught = ("mean", "std", "limits", "steps", "missing", "parts", "thresholds", "centres", "grams")
        taught += ("vocabulary",) if self.kind == "text" else ()
        planned = {name: value for name, value in self.options.items() if name not in _TAUGHT}
        return self.model_copy(update={**dict.fromkeys(taught, ()), "options": planned})
