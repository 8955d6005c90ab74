"""Make the book: check the tables if they have changed, run what is stale, build the site if it is."""

from __future__ import annotations

import argparse
import hashlib
import json
import os

from rareearths import build, data, run

STAMP = build.REPOSITORY / "_build" / "checked.json"


def main(arguments: list[str]) -> int:
    """Do it all from the command line; stop at the first step that fails."""
    parser = argparse.ArgumentParser(
        prog="python -m rareearths book", description="Check the tables, run stale chapters, build the site."
    )
    parser.parse_args(arguments)
    if os.environ.get(data.DATA_VARIABLE):
        print(f"data:   {data.root()}, in place of data/")
    return _check() or run.main([]) or build.main([])


def _check() -> int:
    digest = _digest()
    try:
        if json.loads(STAMP.read_text())["digest"] == digest:
            print("current tables")
            return 0
    except (OSError, ValueError, KeyError):
        pass
    from rareearths import check

    print("checking tables ...", flush=True)
    code = check.main([])
    if code == 0:
        STAMP.parent.mkdir(exist_ok=True)
        STAMP.write_text(json.dumps({"digest": digest}))
    return code


def _digest() -> str:
    """Give one digest of the tables and of the code that checks them, wherever the data folder is."""
    total = hashlib.sha256(str(data.root()).encode())
    package = build.REPOSITORY / "rareearths"
    files = [*sorted(data.root().rglob("*")), package / "data.py"]
    files += [file for name in ("check", "crosschecks") for file in sorted((package / name).glob("*.py"))]
    for file in files:
        if file.is_file():
            total.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return total.hexdigest()
