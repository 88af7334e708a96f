"""A trained model in memory, and the one file that keeps it: no code inside, and proof that it still answers the same.

A `.netwright` file is a valid safetensors file. Its tensors are `weights/<name>`, `examples/<i>/<input>` (the raw
bytes of up to 64 real examples), `examples/expected/<output>` (what the model answered), `vocabularies/<field>` (lists
of more than 1,000 class names), `centres/<field>` and `grams/<field>`. One metadata key, `netwright`, holds JSON with
sorted keys: see `Header`.
The same model always gives the same bytes.

Opening a file runs nothing from it. Pickles are refused by content, whatever they are called; sizes are compared before
anything is allocated; names mean only what the registry says; weights are copied into a network built from the spec;
then the examples are answered again from their raw bytes and compared with the answers in the file.

The rule for versions: another file format is refused. The same format from another netwright or torch is accepted
with a note when its examples give the same answers here, refused when they differ, and warned about when nothing was
compared.
"""

from netwright.model_file.file import examples, inspect, load, write
from netwright.model_file.header import MOST_EXAMPLES, Contents, Header
from netwright.model_file.model import Example, Model, Replay, assemble, group_shapes, replay

__all__ = [
    "MOST_EXAMPLES",
    "Contents",
    "Example",
    "Header",
    "Model",
    "Replay",
    "assemble",
    "examples",
    "group_shapes",
    "inspect",
    "load",
    "replay",
    "write",
]
