"""Load a table of the data package, typed, with its sources.

The package is described once, in ``data/datapackage.yaml``; this module reads that description and
gives a chapter the table it names. What a process has loaded is remembered (:func:`loaded`), so that
the runner knows which tables a chapter depends on.
"""

from __future__ import annotations

import csv
import functools
import hashlib
import io
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:  # imported only where a table is loaded, so that asking what is stale stays quick
    import pandas as pd

DATA_VARIABLE = "RAREEARTHS_DATA"
"""Environment variable that names a folder of the user's own to stand in for ``data/``."""

PANDAS_TYPES = {
    "string": "str",
    "date": "str",
    "integer": "Int64",
    "number": "float64",
    "boolean": "boolean",
    "year": "Int64",
}
"""How each type of the description is held in pandas; a date stays a text, which in ISO form sorts as it should."""

TEXT_STORAGE = "python"
"""How pandas holds texts: named, since it takes pyarrow where that happens to be installed and then orders ties otherwise."""

YAML_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the fast one where PyYAML has it

_KEPT = Path(__file__).resolve().parent.parent / "_build" / "kept"
"""The description as JSON by its digest: YAML takes a hundred times as long to read, and every chapter reads it."""

_loaded: dict[str, str] = {}


class DataError(Exception):
    """A table, a source or the description of the data is not what it should be."""


@dataclass(frozen=True)
class Source:
    """One document that facts were taken from: a row of ``data/sources.csv``."""

    source_id: str
    title: str
    publisher: str
    date: str
    edition: str
    url: str
    licence: str
    strength: str


def root() -> Path:
    """Give the folder that holds ``datapackage.yaml``: ``data/``, or the one RAREEARTHS_DATA names."""
    own = os.environ.get(DATA_VARIABLE)
    return Path(own).resolve() if own else Path(__file__).resolve().parent.parent / "data"


@functools.cache
def _package(folder: Path) -> dict:
    path = folder / "datapackage.yaml"
    if not path.is_file():
        raise DataError(f"{path} is missing: {DATA_VARIABLE} has to name a folder with a datapackage.yaml")
    content = path.read_bytes()
    kept = _KEPT / f"description-{_digest(content)}.json"
    try:
        return json.loads(kept.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # not kept yet, or not whole
        package = yaml.load(content.decode("utf-8"), Loader=YAML_LOADER)
    try:
        _KEPT.mkdir(parents=True, exist_ok=True)
        fresh = kept.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps(package), encoding="utf-8")
        os.replace(fresh, kept)
    except (OSError, TypeError):  # a folder that may not be written to, or a description that is none
        pass
    return package


def package() -> dict:
    """Give the whole description of the package, anchors resolved."""
    return _package(root())


def tables() -> list[str]:
    """List the names of all tables of the package."""
    return [resource["name"] for resource in package()["resources"]]


def describe(name: str) -> dict:
    """Give the description of one table as ``datapackage.yaml`` has it.

    Raises:
        DataError: there is no such table; the message lists those there are.
    """
    for resource in package()["resources"]:
        if resource["name"] == name:
            return resource
    raise DataError(f"no table {name!r}; there are: {', '.join(sorted(tables()))}")


def load(name: str) -> pd.DataFrame:
    """Load one table, typed as its schema says; a blank cell is missing, never 0.

    Returns:
        One row a fact, with ``source_id`` and ``locator``. ``.attrs["table"]`` holds the table's name,
        title, licence and attribution.

    Raises:
        DataError: there is no such table, or its file is missing or does not fit the schema's types.
    """
    resource = describe(name)
    path = root() / resource["path"]
    if not path.is_file():
        raise DataError(f"{path} is missing: table {name!r} is described in datapackage.yaml but has no file")
    content = path.read_bytes()
    try:
        table = typed(content, resource)
    except (ValueError, TypeError) as error:
        raise DataError(f"{path}: {error}. Run `python -m rareearths check` for row and column") from None
    table.attrs["table"] = {key: resource.get(key) for key in ("name", "title", "licence_note", "attribution")}
    _loaded[f"table:{name}"] = _digest(content + _description(resource))
    return table


def typed(content: bytes, resource: dict) -> pd.DataFrame:
    """Turn the CSV of a table into a frame, typed as the table's description says; a blank cell is missing."""
    import pandas as pd

    pd.set_option("mode.string_storage", TEXT_STORAGE)
    types = {field["name"]: PANDAS_TYPES[field["type"]] for field in resource["schema"]["fields"]}
    return pd.read_csv(io.BytesIO(content), dtype=types, keep_default_na=False, na_values=[""], encoding="utf-8")


def cites(resource: dict) -> list[str]:
    """List the columns of a table that name a source, by its description."""
    keys = resource["schema"].get("foreignKeys", [])
    return [key["fields"][0] for key in keys if key["reference"]["resource"] == "sources"]


def flagged(table: pd.DataFrame, *words: str) -> pd.Series:
    """Tell which rows of a table carry one of these flags."""
    marked = {cell for cell in table.flag.dropna().unique() if not set(words).isdisjoint(cell.split(";"))}
    return table.flag.isin(marked)


@functools.cache
def _source_rows(folder: Path) -> dict[str, Source]:
    columns = ("source_id", "title", "publisher", "date", "edition", "url_or_doi", "licence", "strength")
    with (folder / "sources.csv").open(encoding="utf-8", newline="") as file:
        return {row["source_id"]: Source(*(row[column] for column in columns)) for row in csv.DictReader(file)}


def source(source_id: str) -> Source:
    """Give one source by its id.

    Raises:
        DataError: ``data/sources.csv`` has no such id.
    """
    try:
        found = _source_rows(root())[source_id]
    except KeyError:
        raise DataError(f"no source {source_id!r} in {root() / 'sources.csv'}") from None
    _loaded[f"source:{source_id}"] = _digest(json.dumps(asdict(found), sort_keys=True).encode())
    return found


def loaded() -> dict[str, str]:
    """Tell what this process has read so far: ``table:<name>`` and ``source:<id>`` with digests of content."""
    return dict(sorted(_loaded.items()))


def current(key: str) -> str | None:
    """Give today's digest of what :func:`loaded` called ``key``, or None when it is gone."""
    kind, _, name = key.partition(":")
    try:
        if kind == "source":
            return _digest(json.dumps(asdict(_source_rows(root())[name]), sort_keys=True).encode())
        resource = describe(name)
        return _digest((root() / resource["path"]).read_bytes() + _description(resource))
    except (DataError, KeyError, OSError):
        return None


def _description(resource: dict) -> bytes:
    return json.dumps(resource, sort_keys=True).encode()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
