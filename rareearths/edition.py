"""Keep a record of what an edition published, and say what has changed since the last one."""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

from rareearths import published, run

FOLDER = published.REPOSITORY / "book" / "editions"
SCHEMA = "rareearths-edition/1"


@dataclass(frozen=True)
class Edition:
    """An edition: its version, its day, what it published (by id, as :func:`published.summary` gives it), and the
    digests of the tables that each page rests on."""

    version: str
    released: str
    published: dict[str, dict]
    tables: dict[str, dict[str, str]]


def current(repository: Path = published.REPOSITORY) -> Edition:
    """Give the edition that stands here, from the stored outputs."""
    cff = yaml.safe_load((repository / "CITATION.cff").read_text(encoding="utf-8"))
    things = published.read_all(repository)
    tables = {}
    for notebook in published.chapters(repository):
        metadata = json.loads(notebook.read_text(encoding="utf-8"))["metadata"]
        inputs = metadata.get(run.KEY, {}).get("inputs", {})
        tables[published.docname(notebook, repository)] = {
            key.removeprefix("table:"): digest for key, digest in inputs.items() if key.startswith("table:")
        }
    summaries = {name: published.summary(thing) for name, thing in things.items()}
    return Edition(str(cff["version"]), str(cff["date-released"]), summaries, tables)


def last(version: str, folder: Path = FOLDER) -> Edition | None:
    """Give the newest frozen edition other than this version; None where there is none."""
    others = [path for path in folder.glob("*.json") if path.stem != version]
    return load(max(others, key=lambda path: _order(path.stem))) if others else None


def load(path: Path) -> Edition:
    """Read a frozen edition.

    Raises:
        ValueError: the file is not the record of the edition that its name says.
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    if content.pop("schema", None) != SCHEMA or content.get("version") != path.stem:
        raise ValueError(f"{path}: not a record of edition {path.stem} ({SCHEMA})")
    return Edition(**content)


def text(edition: Edition) -> str:
    """Write the record of an edition: sorted, a line a thing, so that two can be compared by eye."""
    head = {"schema": SCHEMA, "version": edition.version, "released": edition.released}
    lines = [f"{_json(name)}: {_json(value)}" for name, value in head.items()]
    for name in ("tables", "published"):
        part = ",\n".join(f" {_json(key)}: {_json(value)}" for key, value in sorted(getattr(edition, name).items()))
        lines.append(f"{_json(name)}: {{\n{part}\n}}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def freeze(edition: Edition, folder: Path = FOLDER) -> Path:
    """Write the record of an edition, once.

    Raises:
        ValueError: the edition has been frozen with other content.
    """
    path = folder / f"{edition.version}.json"
    if path.is_file() and path.read_text(encoding="utf-8") != text(edition):
        raise ValueError(
            f"edition {edition.version} was frozen with other content: give the new one a version of its own "
            "(CITATION.cff, pyproject.toml, data/datapackage.yaml, CHANGELOG.md)"
        )
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(text(edition), encoding="utf-8")
    return path


def why(change: published.Change, before: Edition, now: Edition) -> list[str]:
    """Say what can have changed a thing: its sources and their editions, and the tables that its chapter rests on."""
    if change.kind != "changed":
        return []
    was, new = change.old["sources"], change.new["sources"]
    said = []
    for word, ids in (
        ("source added", [name for name in new if name not in was]),
        ("source dropped", [name for name in was if name not in new]),
        ("other edition of", [name for name in new if name in was and new[name] != was[name]]),
    ):
        said += [f"{word} {', '.join(ids)}"] if ids else []
    old, tables = before.tables.get(change.old["page"], {}), now.tables.get(change.new["page"], {})
    other = sorted(name for name in {*old, *tables} if old.get(name) != tables.get(name))
    return said + ([f"tables of the chapter that changed: {', '.join(other)}"] if other else [])


def main(arguments: list[str]) -> int:
    """Compare or freeze from the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m rareearths edition", description="Say what has changed since the last frozen edition."
    )
    parser.add_argument("--freeze", action="store_true", help="keep the record of this edition in book/editions/")
    options = parser.parse_args(arguments)
    try:
        now = current()
        if options.freeze:
            stale = [notebook.stem for notebook in published.chapters() if run.why_stale(notebook)]
            if stale:
                raise ValueError(f"stale: {', '.join(stale)}; run `make book` first")
            print(f"frozen  {freeze(now).relative_to(published.REPOSITORY)}: {len(now.published)} things")
            return 0
        before = last(now.version)
    except (ValueError, published.DuplicateId, run.ChapterFailed, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    if before is None:
        print(f"{now.version} is the first edition: there is none before it")
        return 0
    for change in published.compare(before.published, now.published):
        reasons = why(change, before, now)
        print(f"{change.id}: {'; '.join(change.said)}" + (f" ({'; '.join(reasons)})" if reasons else ""))
    return 0


def _order(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]


def _json(value) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
