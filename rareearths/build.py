"""Build the site from the stored outputs; what is published is replaced only when a build has succeeded."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from rareearths import data, published

URL_VARIABLE = "BOOK_URL"
"""Environment variable with the address at which the site will be published, e.g. of GitHub Pages."""

REPOSITORY = published.REPOSITORY
HTML = REPOSITORY / "_build" / "html"
WORK = REPOSITORY / "_build" / "work"
STAMP = REPOSITORY / "_build" / "built.json"
MADE_BY_THE_BUILD = "book/references.bib"
"""Made from the pages and the sources, which count; were it counted too, a build that renews it would call for another."""
MACHINERY = ("_config.yml", "_toc.yml", "CITATION.cff", "requirements.txt", "rareearths")


def fingerprint(machinery_only: bool = False) -> str:
    """Give one digest of what the site is made from: its settings, the library, its address, and the book and the data."""
    total = hashlib.sha256(os.environ.get(URL_VARIABLE, "").encode())
    inputs = [REPOSITORY / name for name in MACHINERY]
    if not machinery_only:
        inputs += [REPOSITORY / "book", data.root()]
    for path in inputs:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            name = file.relative_to(path.parent).as_posix()
            passing = name == MADE_BY_THE_BUILD or {"__pycache__", ".ipynb_checkpoints"} & set(file.parts)
            if file.is_file() and not passing:
                total.update(name.encode() + b"\0" + file.read_bytes() + b"\0")
    return total.hexdigest()


def up_to_date() -> bool:
    """Tell whether the site that stands was built from what stands here now."""
    try:
        return HTML.is_dir() and json.loads(STAMP.read_text())["fingerprint"] == fingerprint()
    except (OSError, ValueError, KeyError):
        return False


def build(verbose: bool = False) -> int:
    """Build with warnings as errors; give jupyter-book's exit code."""
    from rareearths.site import bibliography  # brings Sphinx, which a site that is up to date does not need

    try:
        published.read_all()
        references = bibliography.bibtex(REPOSITORY)
    except (published.DuplicateId, data.DataError, OSError, ValueError, KeyError) as error:
        print(error, file=sys.stderr)
        return 1
    made_from = fingerprint()
    # Entries of the reference list are numbered anew when one comes or goes, and pages that stand would link to others.
    machinery = fingerprint(machinery_only=True) + hashlib.sha256(references.encode()).hexdigest()
    begun = WORK / "machinery.json"
    if not begun.is_file() or json.loads(begun.read_text()) != machinery:
        # The site builder sees by itself which pages have changed, not that what makes them has.
        shutil.rmtree(WORK, ignore_errors=True)
        WORK.mkdir(parents=True)
        begun.write_text(json.dumps(machinery))
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", str(REPOSITORY)]
    command += ["--path-output", str(WORK), "-W", "--keep-going"]
    if not verbose:
        command.append("-q")
    environment = {**os.environ, "NO_COLOR": "1"}
    done = subprocess.run(
        command,
        cwd=REPOSITORY,
        env=environment,
        text=True,
        stdout=None if verbose else subprocess.PIPE,
        stderr=None if verbose else subprocess.STDOUT,
        check=False,
    )
    if done.returncode:
        begun.unlink()  # the next build starts from nothing: pages read now would not be read, nor warn, again
        if not verbose:
            print(done.stdout)
        print("The build failed; the site that stood before is untouched.", file=sys.stderr)
        return done.returncode
    fresh, old = HTML.with_name("html.new"), HTML.with_name("html.old")
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    shutil.copytree(
        WORK / "_build" / "html", fresh, ignore=shutil.ignore_patterns(".buildinfo", ".doctrees", "_sources")
    )
    STAMP.unlink(missing_ok=True)
    if HTML.exists():
        os.replace(HTML, old)
    os.replace(fresh, HTML)
    STAMP.write_text(json.dumps({"fingerprint": made_from}))
    shutil.rmtree(old, ignore_errors=True)
    return 0


def main(arguments: list[str]) -> int:
    """Build from the command line."""
    parser = argparse.ArgumentParser(prog="python -m rareearths build", description="Build the site in _build/html.")
    parser.add_argument("--force", action="store_true", help="build from nothing, even if the site is up to date")
    parser.add_argument("--verbose", action="store_true", help="show what the site builder says")
    options = parser.parse_args(arguments)
    if options.force:
        shutil.rmtree(WORK, ignore_errors=True)
    elif up_to_date():
        print(f"current site\nOpen {_shown(HTML / 'index.html')}")
        return 0
    print("building the site ...", flush=True)
    code = build(options.verbose)
    if code == 0:
        print(f"built   site\nOpen {_shown(HTML / 'index.html')}")
    return code


def _shown(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
