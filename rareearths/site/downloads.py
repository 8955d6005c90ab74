"""Write the files that readers download, and the one JSON file that lists all that was published."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import zipfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.display import status_iterator

from rareearths.published import REPOSITORY, Published, anchor
from rareearths.site import citation, compose
from rareearths.site.book import Book
from rareearths.site.evidence import source_line_text, source_text

DRAWN = REPOSITORY / "_build" / "drawn"
"""PNGs by the digest of their drawing, so that a figure is drawn again only when it has changed."""

ZIP_DAY = (1980, 1, 1, 0, 0, 0)
"""One fixed day in all archives, so that the same content gives the same file."""


def begin(app: Sphinx) -> None:
    """Start drawing PNGs in processes of their own, while the site builder works on the pages."""
    if app.builder.format != "html":
        return
    figures = [thing for thing in app.env.rareearths_published.values() if thing.kind == "figure"]
    drawings = {thing.id: _drawing(thing, app.env.rareearths_book) for thing in figures}
    missing = [drawing for drawing in drawings.values() if not _kept(drawing).is_file()]
    if missing:
        DRAWN.mkdir(parents=True, exist_ok=True)
        pool = ProcessPoolExecutor()
        app.rareearths_drawing = pool, [pool.submit(_draw, drawing) for drawing in missing]


def write_all(app: Sphinx, error: Exception | None) -> None:
    """Write downloads of every figure and table, and ``published.json``, after a build that succeeded."""
    pool, waiting = getattr(app, "rareearths_drawing", (None, []))
    if error is None:
        for done in status_iterator(waiting, "drawing PNGs... ", length=len(waiting), stringify_func=lambda _: ""):
            done.result()
    if pool is not None:
        pool.shutdown(cancel_futures=True)
    if error is not None or app.builder.format != "html":
        return
    published: dict[str, Published] = app.env.rareearths_published
    out = Path(app.outdir)
    shown = [thing for thing in published.values() if thing.kind in ("figure", "table")]
    for thing in status_iterator(shown, "writing downloads... ", length=len(shown), stringify_func=lambda t: t.id):
        folder = out / f"{thing.kind}s"
        folder.mkdir(exist_ok=True)
        for suffix, content in files(thing, app.env.rareearths_book).items():
            _write(folder / f"{thing.id}.{suffix}", content)
    _write(out / "published.json", _json(_register(app, published)))


def files(thing: Published, book: Book) -> dict[str, bytes]:
    """Give every download of a figure or table by its suffix, the archive of all of them last."""
    payload = thing.payload
    references = citation.references(payload, book, thing.number, thing.page)
    cited = citation.render(references)
    content = {suffix: text.encode() for suffix, text in cited.items() if suffix != "txt"}
    content["csv"] = _csv(payload["data"])
    content["json"] = _json(
        {
            **{key: value for key, value in payload.items() if key != "narrow_svg"},
            "number": thing.number,
            "url": book.address(f"{thing.page}#{thing.id}"),
            "licence": book.licence,
            "book": {"title": book.title, "version": book.version, "released": book.released},
            "citation": cited["txt"].splitlines(),
        }
    )
    if thing.kind == "figure":
        drawing = _drawing(thing, book)
        content["svg"] = compose.with_font(drawing).encode()
        content["png"] = _draw(drawing).read_bytes()
    content["zip"] = _zip(thing.id, {**content, "README.txt": _readme(thing, cited["txt"], book).encode()})
    return content


def _drawing(thing: Published, book: Book) -> str:
    """Give a figure's drawing with its title, its sources and where it is from."""
    origin = f"{thing.number} ({thing.id}), {book.title}, version {book.version}, {book.licence}. {book.address('')}"
    footer = [source_line_text(thing), origin.strip()]
    return compose.compose(thing.svg, thing.payload["title"], thing.payload["subtitle"], footer)


def _kept(drawing: str) -> Path:
    return DRAWN / f"{hashlib.sha256(drawing.encode()).hexdigest()[:32]}.png"


def _draw(drawing: str) -> Path:
    """Draw a PNG unless the same drawing was drawn before; give its file."""
    path = _kept(drawing)
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.write_bytes(compose.to_png(drawing))
        os.replace(fresh, path)
    return path


def _csv(data: dict) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(data["columns"])
    writer.writerows(["" if value is None else value for value in row] for row in data["rows"])
    return out.getvalue().encode()


def _json(content) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def _readme(thing: Published, cited: str, book: Book) -> str:
    sources = "\n".join(
        f"- {source_text(source)}\n  licence: {source['licence']}\n  {source['url']}"
        for source in thing.payload["sources"]
    )
    return (
        f"{thing.number}: {thing.payload['title']}\n{thing.id}\n\n{thing.payload['caption']}\n\n"
        f"Data to {thing.payload['data_to']}; digest of the data {thing.payload['data_digest']}.\n\n"
        f"How to cite, with the producers of the data:\n{cited}\nSources:\n{sources}\n\n"
        f"Text and figure: {book.licence}. Data: under the licences of their producers, above.\n"
    )


def _zip(name: str, content: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for suffix, part in content.items():
            file = suffix if suffix == "README.txt" else f"{name}.{suffix}"
            archive.writestr(zipfile.ZipInfo(f"{name}/{file}", ZIP_DAY), part, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _register(app: Sphinx, published: dict[str, Published]) -> dict:
    book = app.env.rareearths_book
    entries = []
    for thing in published.values():
        shown = thing.kind in ("figure", "table")
        entry = {
            "kind": thing.kind,
            "id": thing.id,
            "page": thing.page,
            "anchor": thing.anchor,
            "number": thing.number if shown else None,
        }
        entry |= {key: value for key, value in thing.payload.items() if key not in ("id", "data", "narrow_svg")}
        entries.append({key: value for key, value in entry.items() if value is not None})
    return {
        "schema": "rareearths-published/1",
        "book": {"title": book.title, "version": book.version, "released": book.released, "url": book.url},
        "published": entries,
        "retracted": [
            {"id": row.id, "page": f"{row.page}.html", "anchor": anchor(row.id), "edition": row.corrected}
            for row in app.env.rareearths_errata
            if row.is_retracted
        ],
    }


def _write(path: Path, content: bytes) -> None:
    if not path.is_file() or path.read_bytes() != content:
        path.write_bytes(content)
