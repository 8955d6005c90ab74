"""Write the files that readers download, and the one JSON file that lists all that was published."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.display import status_iterator

from rareearths.published import Published
from rareearths.site import citation, compose
from rareearths.site.evidence import number_of, source_line_text, source_text

ZIP_DAY = (1980, 1, 1, 0, 0, 0)
"""One fixed day in all archives, so that the same content gives the same file."""


def write_all(app: Sphinx, error: Exception | None) -> None:
    """Write downloads of every figure and table, and ``published.json``, after a build that succeeded."""
    if error is not None or app.builder.format != "html":
        return
    published: dict[str, Published] = app.env.rareearths_published
    out = Path(app.outdir)
    shown = [thing for thing in published.values() if thing.kind in ("figure", "table")]
    for thing in status_iterator(shown, "writing downloads... ", length=len(shown), stringify_func=lambda t: t.id):
        number = number_of(app.builder, thing)
        page = app.builder.get_target_uri(thing.docname)
        folder = out / f"{thing.kind}s"
        folder.mkdir(exist_ok=True)
        for suffix, content in files(thing, app.env.rareearths_book, number, page).items():
            _write(folder / f"{thing.id}.{suffix}", content)
    _write(out / "published.json", _json(_register(app, published)))


def files(thing: Published, book, number: str, page: str) -> dict[str, bytes]:
    """Give every download of a figure or table by its suffix, the archive of all of them last."""
    payload = thing.payload
    references = citation.references(payload, book, number, page)
    cited = citation.render(references)
    content = {suffix: text.encode() for suffix, text in cited.items() if suffix != "txt"}
    content["csv"] = _csv(payload["data"])
    content["json"] = _json(
        {
            **{key: value for key, value in payload.items() if key != "narrow_svg"},
            "number": number,
            "url": book.address(f"{page}#{thing.id}"),
            "licence": book.licence,
            "book": {"title": book.title, "version": book.version, "released": book.released},
            "citation": cited["txt"].splitlines(),
        }
    )
    if thing.kind == "figure":
        footer = [
            source_line_text(thing),
            f"{number} ({thing.id}), {book.title}, version {book.version}, {book.licence}. {book.address('')}".strip(),
        ]
        drawing = compose.compose(thing.svg, payload["title"], payload["subtitle"], footer)
        content["svg"] = compose.with_font(drawing).encode()
        content["png"] = _png(drawing)
    content["zip"] = _zip(thing.id, {**content, "README.txt": _readme(thing, cited["txt"], number, book).encode()})
    return content


_drawn: dict[str, bytes] = {}


def _png(drawing: str) -> bytes:
    key = hashlib.sha256(drawing.encode()).hexdigest()
    if key not in _drawn:
        _drawn[key] = compose.to_png(drawing)
    return _drawn[key]


def _csv(data: dict) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(data["columns"])
    writer.writerows(["" if value is None else value for value in row] for row in data["rows"])
    return out.getvalue().encode()


def _json(content) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def _readme(thing: Published, cited: str, number: str, book) -> str:
    sources = "\n".join(
        f"- {source_text(source)}\n  licence: {source['licence']}\n  {source['url']}"
        for source in thing.payload["sources"]
    )
    return (
        f"{number}: {thing.payload['title']}\n{thing.id}\n\n{thing.payload['caption']}\n\n"
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
        page = app.builder.get_target_uri(thing.docname)
        shown = thing.kind in ("figure", "table")
        entry = {
            "kind": thing.kind,
            "id": thing.id,
            "page": page,
            "anchor": thing.id if shown else f"note-{thing.id}",
            "number": number_of(app.builder, thing) if shown else None,
        }
        entry |= {key: value for key, value in thing.payload.items() if key not in ("id", "data", "narrow_svg")}
        entries.append({key: value for key, value in entry.items() if value is not None})
    return {
        "schema": "rareearths-published/1",
        "book": {"title": book.title, "version": book.version, "released": book.released, "url": book.url},
        "published": entries,
    }


def _write(path: Path, content: bytes) -> None:
    if not path.is_file() or path.read_bytes() != content:
        path.write_bytes(content)
