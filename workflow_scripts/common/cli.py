"""The frame of every script: parse arguments, run, and end in one clear line when the input is at fault."""

import argparse
import sys
from collections.abc import Callable

from common.errors import LabError


def parser(doc: str) -> argparse.ArgumentParser:
    """A parser whose --help shows the script's docstring as written, and the defaults."""

    class Formatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
        pass

    return argparse.ArgumentParser(description=doc, formatter_class=Formatter)


def run(main: Callable[[], None]) -> None:
    """Call `main`; a LabError or a full disk becomes `error: ...` on stderr and exit status 1."""
    try:
        main()
    except LabError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        sys.exit(f"error: {error.filename or 'input/output'}: {error.strerror or error}")
