"""`python -m netwright` is the same as `netwright`."""

import sys

from netwright.cli import main

if __name__ == "__main__":
    sys.exit(main())
