"""From a batch to outputs: layers as text, the network they become, and the table of what it costs."""
