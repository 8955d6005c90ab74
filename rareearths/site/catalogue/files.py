"""The data package as part of the site: tables, description, an archive, and rows for the pages to show."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from pathlib import Path

from sphinx.application import Sphinx

from rareearths import data
from rareearths.site.catalogue.words import LONG, cells, names
from rareearths.site.downloads import ZIP_DAY


def write_data(app: Sphinx, error: Exception | None) -> None:
    """Write the package to ``data/`` of the site, after a build that succeeded."""
    if error is not None or app.builder.format != "html":
        return
    out = Path(app.outdir) / "data"
    shutil.rmtree(out, ignore_errors=True)
    (out / "view").mkdir(parents=True)
    content = {"datapackage.json": _package_json(), "datapackage.yaml": (data.root() / "datapackage.yaml").read_bytes()}
    for name in data.tables():
        path = data.describe(name)["path"]
        content[path] = (data.root() / path).read_bytes()
        (out / "view" / f"{name}.js").write_text(_view(name), encoding="utf-8")
    for path, part in content.items():
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_bytes(part)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path, part in content.items():
            file.writestr(zipfile.ZipInfo(path, ZIP_DAY), part, zipfile.ZIP_DEFLATED)
    (out / "rare-earths-data.zip").write_bytes(archive.getvalue())


def _package_json() -> bytes:
    """Give the description with anchors resolved, for readers that take JSON alone."""
    package = {key: value for key, value in data.package().items() if key != "shared"}
    return (json.dumps(package, ensure_ascii=False, indent=1) + "\n").encode()


def _view(name: str) -> str:
    """Give a table as a script that hands it to the page, with the names of the codes that it holds."""
    found = cells(name)
    columns = list(found)
    fields = {field["name"]: field for field in data.describe(name)["schema"]["fields"]}
    coded = [c for c in columns if c.endswith("_iso3") or c in ("element", "elements", "symbol", "members")]
    codes = {code for column in coded for cell in found[column].unique() for code in cell.split(";")}
    content = {
        "name": name,
        "numeric": [columns.index(c) for c in columns if fields[c]["type"] in ("integer", "number")],
        "long": [columns.index(c) for c in columns if found[c].str.len().max() > LONG],
        "links": [columns.index(c) for c in data.cites(data.describe(name))],
        "coded": [columns.index(c) for c in coded],
        "names": {code: names()[code] for code in sorted(codes & set(names()))},
        "rows": found.to_numpy().tolist(),
    }
    return f"rareearthsTable({json.dumps(content, ensure_ascii=False, separators=(',', ':'))});\n"
