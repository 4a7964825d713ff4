"""`python -m twin` is `twin`."""

from twin.cli import main

main()
