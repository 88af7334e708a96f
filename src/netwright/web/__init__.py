"""Pages that a browser asks for: who may ask, how much may be sent, and the port where it is answered."""

from netwright.web.guard import Guard
from netwright.web.listen import Place, listen

__all__ = ["Guard", "Place", "listen"]
