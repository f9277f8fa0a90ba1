"""`python -m canner`."""

from canner.cli import main

main()
