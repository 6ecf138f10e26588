"""``python -m synthgan_cli``."""

from synthgan_cli.app import main

main()
