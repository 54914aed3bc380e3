"""`python -m gmixbench.cli`."""

from gmixbench.cli import main

main()
