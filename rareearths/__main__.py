"""The command line: ``python -m rareearths book | check | run | build | serve | controls | ensemble | edition | update``."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

from rareearths.data import DATA_VARIABLE

COMMANDS = {
    "book": "all of it: check the tables, run what is stale, build the site",
    "check": "check the tables in data/ against their description, and against each other",
    "run": "run the chapters whose code, library or data have changed",
    "build": "build the site in _build/html from the stored outputs",
    "serve": "show the built site on this machine",
    "controls": "China's controls by element and stage on a day, or what changed between two",
    "ensemble": "many draws of a scenario of the supply-shock model into a file, on one machine or on many",
    "edition": "what changed since the last edition; --freeze keeps the record of this one",
    "update": "take in a new edition of an official file",
}

MODULES = {"ensemble": "shock.command"}
"""Where a command is that is not a module or package of its own name."""


def main(arguments: list[str] | None = None) -> int:
    """Dispatch to the command named first."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if not arguments or arguments[0] in ("-h", "--help"):
        print("usage: python -m rareearths COMMAND [options]   (each COMMAND takes --help)\n")
        print("\n".join(f"  {name:10}{text}" for name, text in COMMANDS.items()))
        return 0 if arguments else 2
    if arguments[0] not in COMMANDS:
        print(f"no command {arguments[0]!r}; there are: {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    if own := os.environ.get(DATA_VARIABLE):  # chapters run in another folder, so a relative name would be lost
        os.environ[DATA_VARIABLE] = str(Path(own).resolve())
        if not (Path(own) / "datapackage.yaml").is_file():
            print(
                f"{own} has no datapackage.yaml: {DATA_VARIABLE} has to name a folder laid out as data/",
                file=sys.stderr,
            )
            return 1
    command = importlib.import_module(f"rareearths.{MODULES.get(arguments[0], arguments[0])}")
    return command.main(arguments[1:])


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(130)
