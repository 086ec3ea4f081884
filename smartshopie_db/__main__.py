"""`python -m smartshopie_db` is the program `smartshopie`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
