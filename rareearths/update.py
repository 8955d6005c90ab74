"""Bring official files into the tables: ``python -m rareearths update [--from PATH ...]``.

A file is recognised by its content, imported to a copy of the data folder and checked there. What would
change is shown; then the tables are replaced in one step. A fault at any point leaves the data as it was.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import io
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import yaml

from rareearths import data
from rareearths.upstream import UpstreamError, fetch, merge, replace
from rareearths.upstream.importers import importer_of

SHOWN = 20
"""Rows shown a table and kind of change; the rest is counted."""

CHAPTERS = Path(__file__).resolve().parent.parent / "book" / "chapters"


def main(argv: list[str] | None = None) -> int:
    """Run the command; 0 when the data are up to date, 1 when something is wrong, in one plain message."""
    arguments = _parser().parse_args(argv)
    folder = Path(arguments.data).resolve() if arguments.data else data.root()
    try:
        return _update(folder, arguments.files, dry_run=arguments.dry_run, confirmed=arguments.yes)
    except (UpstreamError, data.DataError) as error:
        print(error, file=sys.stderr)
        print("Nothing has been changed.", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rareearths update", description="Bring official files into the tables."
    )
    parser.add_argument("--from", dest="files", metavar="PATH", nargs="+", action="extend", default=[],
                        help="local files to take, instead of fetching what is known")  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
    parser.add_argument("--data", metavar="FOLDER", help="a data folder other than data/")
    parser.add_argument("--yes", action="store_true", help="replace the tables without asking")
    return parser


def _update(folder: Path, files: list[str], dry_run: bool, confirmed: bool) -> int:
    if not (folder / "datapackage.yaml").is_file():
        raise UpstreamError(f"{folder} has no datapackage.yaml: it is no data folder")
    _recover(folder, dry_run)
    paths = [Path(file) for file in files] or _fetched()
    if not paths:
        return 1
    changes, contents = _import(folder, paths)
    _require_sources(folder, changes)
    if not contents:
        print("Nothing new: every value of these files is in the tables already.")
        return 0
    _require_valid(folder, contents)
    _show(changes)
    _show_chapters(sorted({change.table for change, _ in changes if change}))
    if dry_run:
        print("Dry run: nothing has been changed.")
        return 0
    if not confirmed and not _confirm():
        print("Nothing has been changed. Add YES=1 (or --yes) to replace the tables without being asked.")
        return 1
    return _replace(folder, contents)


def _recover(folder: Path, dry_run: bool) -> None:
    """Finish an interrupted replacement before anything is read."""
    if dry_run and (folder / replace.JOURNAL).exists():
        raise UpstreamError(
            "an earlier update was interrupted: run `python -m rareearths update` without --dry-run to finish it"
        )
    if not dry_run:
        finished = replace.recover(folder)
        if finished:
            print(f"An earlier update was interrupted; it has been completed now: {', '.join(finished)}")


def _fetched() -> list[Path]:
    """Fetch the files whose address is known, and say where the others are to be had."""
    by_hand = [file for file in fetch.FILES if file.url is None]
    paths = [fetch.fetch(file) for file in fetch.FILES if file.url is not None]
    if by_hand:
        print("To be downloaded in a browser, as no direct address is known; then run make update FROM=path")
        for page in dict.fromkeys(file.landing_page for file in by_hand):
            print(f"  {page}: {', '.join(file.file_name for file in by_hand if file.landing_page == page)}")
        print("A newer edition is announced at https://www.usgs.gov/centers/national-minerals-information-center")
    return paths


def _import(folder: Path, paths: list[Path]) -> tuple[list[tuple[merge.Change, dict[str, dict]]], dict[str, str]]:
    """Import files one after another; give each table's changes, and the new text of the files that change.

    With each change goes what the importer would write into ``sources.csv`` for each source it names.
    """
    resources = {resource["name"]: resource for resource in _package(folder)["resources"]}
    tables: dict[str, tuple[list[str], list[merge.Row]]] = {}
    changes = []
    for path in paths:
        importer = importer_of(path)
        print(f"{path.name}: {importer.TITLE}")
        for name, imported in importer.to_tables(path, folder).items():
            if name not in resources:
                print(f"  {name}: not a table of this data folder, left out")
                continue
            columns, rows = tables.get(name) or merge.read(_existing(folder, resources[name]))
            rows, change = merge.merge(
                rows,
                columns,
                imported,
                resources[name],
                value_columns=importer.VALUE_COLUMNS[name],
                scope_columns=importer.SCOPE_COLUMNS[name],
                order_columns=importer.ORDER_COLUMNS[name],
            )
            tables[name] = columns, rows
            changes.append((change, {source: importer.source_row(source) for source in set(imported["source_id"])}))
    touched = {change.table for change, _ in changes if change}
    return changes, {resources[name]["path"]: merge.as_text(*tables[name]) for name in sorted(touched)}


def _package(folder: Path) -> dict:
    return yaml.safe_load((folder / "datapackage.yaml").read_text(encoding="utf-8"))


def _existing(folder: Path, resource: dict) -> Path:
    path = folder / resource["path"]
    if not path.is_file():
        raise UpstreamError(
            f"{path} is missing: table {resource['name']!r} is described in datapackage.yaml but has no file"
        )
    return path


def _require_sources(folder: Path, changes: list[tuple[merge.Change, dict[str, dict]]]) -> None:
    """Stop at a source that ``sources.csv`` has not: its date, licence and strength are for a person to say."""
    columns, rows = merge.read(folder / "sources.csv")
    known = {row["source_id"] for row in rows}
    missing: dict[str, dict] = {}
    for change, suggestions in changes:
        new_rows = change.added + [new for _, new in change.changed]
        used = {row["source_id"] for row in new_rows}
        missing |= {source: suggestions[source] for source in sorted(used - known)}
    if missing:
        lines = "\n".join(_csv_line(columns, row) for row in missing.values())
        raise UpstreamError(
            f"{folder / 'sources.csv'} has no source {', '.join(missing)}. Add this line, with the parts in <> filled in, "
            f"and run the update again:\n{lines}"
        )


def _csv_line(columns: list[str], row: dict) -> str:
    stream = io.StringIO(newline="")
    csv.DictWriter(stream, columns, restval="", extrasaction="ignore", lineterminator="").writerow(row)
    return stream.getvalue()


def _require_valid(folder: Path, contents: dict[str, str]) -> None:
    """Check the tables as they would be, in a copy of the folder."""
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary) / "data"
        shutil.copytree(folder, copy)
        for name, text in contents.items():
            (copy / name).write_bytes(text.encode("utf-8"))
        problems = [str(problem).replace(str(copy), str(folder)) for problem in _check()(copy)]
    if not problems:
        return
    before = {str(problem) for problem in _check()(folder)}
    if before >= set(problems):
        raise UpstreamError(
            "\n".join(["The data have faults already, without these files. Correct them first:", *problems])
        )
    raise UpstreamError("\n".join(["The tables would not be valid with these files:", *problems]))


def _check() -> Callable[[Path], Iterable]:
    return importlib.import_module("rareearths.check").check


def _show(changes: list[tuple[merge.Change, dict[str, dict]]]) -> None:
    for change, _ in changes:
        if not change:
            print(f"  {change.table}: nothing new")
            continue
        print(
            f"  {change.table}: {len(change.added)} added, {len(change.changed)} changed, {len(change.removed)} removed"
        )
        _show_some([f"+ {change.key(row)}: {change.value(row)}" for row in change.added])
        _show_some([_changed_line(change, old, new) for old, new in change.changed])
        _show_some([f"- {change.key(row)}: {change.value(row)}" for row in change.removed])


def _changed_line(change: merge.Change, old: merge.Row, new: merge.Row) -> str:
    line = f"~ {change.key(old)}: {change.value(old)} -> {change.value(new)}"
    if old.get("note") and old["note"] != new.get("note"):
        line += f' (the old note goes: "{old["note"]}")'
    return line


def _show_some(lines: list[str]) -> None:
    for line in lines[:SHOWN]:
        print(f"    {line}")
    if len(lines) > SHOWN:
        print(f"    ... and {len(lines) - SHOWN} more")


def _show_chapters(tables: list[str]) -> None:
    for table in tables:
        print(f"Chapters that load {table}: {', '.join(chapters_of([table])) or 'none'}")


def chapters_of(tables: list[str], folder: Path | None = None) -> list[str]:
    """List the chapters whose last run has loaded one of the tables (notebook metadata, rareearths.inputs)."""
    wanted = {f"table:{name}" for name in tables}
    found = []
    for path in sorted((folder or CHAPTERS).glob("*.ipynb")):
        try:
            metadata = json.loads(path.read_text(encoding="utf-8")).get("metadata", {})
        except ValueError:
            continue
        if wanted & set(metadata.get("rareearths", {}).get("inputs", {})):
            found.append(path.stem)
    return found


def _confirm() -> bool:
    if not sys.stdin.isatty():
        return False
    return input("Replace these tables? [y/N] ").strip().casefold() in ("y", "yes")


def _replace(folder: Path, contents: dict[str, str]) -> int:
    try:
        replace.replace(folder, contents)
    except OSError as error:
        print(f"The tables could not all be replaced ({error.strerror or error}).", file=sys.stderr)
        print(
            "Run `python -m rareearths update` once more: it first completes or clears away this step.", file=sys.stderr
        )
        return 1
    print(f"Replaced: {', '.join(contents)}. Next: make book, which runs the chapters that rest on them.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
