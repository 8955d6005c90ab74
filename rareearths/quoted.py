"""Take what other chapters have published, so that one chapter can sum up the rest.

A chapter that takes something rests on it: :mod:`rareearths.run` runs it again when that has changed.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path

from rareearths import published

_taken: dict[str, str] = {}


class NotPublished(ValueError):
    """No chapter publishes what was asked for."""


def take(identifier: str) -> published.Published:
    """Give a published figure, table, number or statement of another chapter.

    Raises:
        NotPublished: no chapter of the book publishes it.
    """
    try:
        thing = _book(_state())[identifier]
    except KeyError:
        raise NotPublished(f"no chapter publishes {identifier!r}; run the chapter that does, or mend the id") from None
    _taken[f"published:{identifier}"] = _digest(thing)
    return thing


def text(identifier: str) -> str:
    """Give a number as readers see it, with its unit, or a statement's sentence."""
    thing = take(identifier)
    return thing.payload["text"] if thing.kind == "number" else thing.payload["sentence"]


def sources(*identifiers: str) -> list[dict]:
    """List the documents behind published things, each once, with id, publisher and strength."""
    found = {source["source_id"]: source for name in identifiers for source in take(name).payload["sources"]}
    return [found[name] for name in sorted(found)]


def taken() -> dict[str, str]:
    """Tell what this process has taken so far: ``published:<id>`` with digests of content."""
    return dict(sorted(_taken.items()))


def current(key: str) -> str | None:
    """Give today's digest of what :func:`taken` called ``key``, or None when it is gone."""
    thing = _book(_state()).get(key.partition(":")[2])
    return None if thing is None else _digest(thing)


def _state() -> tuple:
    found = []
    for notebook in published.chapters():
        stat = notebook.stat()
        found.append((str(notebook), stat.st_mtime_ns, stat.st_size))
    return tuple(found)


@lru_cache(maxsize=2)
def _book(state: tuple) -> dict[str, published.Published]:
    return {thing.id: thing for path, *_ in state for thing in published.read(Path(path))}


def _digest(thing: published.Published) -> str:
    payload = {name: value for name, value in thing.payload.items() if name != "narrow_svg"}
    content = json.dumps([thing.docname, thing.number, payload], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()[:16]
