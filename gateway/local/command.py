"""How the command is called where it runs, so that what a person is told to type can be typed."""

import shutil
import sys


def lgw() -> str:
    """`lgw` where the shell finds it, else the path it was called by."""
    return "lgw" if shutil.which("lgw") else sys.argv[0]
