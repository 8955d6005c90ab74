"""The bytes of a table's file: encoding, line ends, separators, header, number of cells."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from rareearths.check.description import DESCRIPTION
from rareearths.check.problem import Problem, short


def problems(folder: Path, resource: dict) -> list[Problem]:
    """List what is wrong with the file as such, before its cells are looked at; empty when it can be read."""
    file, path = resource["path"], folder / resource["path"]
    names = [field["name"] for field in resource["schema"]["fields"]]

    def problem(rule: str, found: str, expected: str, todo: str, row: int | None = None, column: str | None = None):
        return Problem(file, rule, found, expected, todo, row, column)

    if not path.is_file():
        return [problem("missing file", "no such file", "the table that the description names", "restore it")]
    content = path.read_bytes()
    if not content.strip():
        return [problem("empty file", "no content", "a header and rows", "restore the file")]
    faults = []
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in content:
        return [problem("not UTF-8", "bytes of UTF-16 or of no text", "UTF-8 text", "save the file as CSV UTF-8", 1)]
    if content.startswith(b"\xef\xbb\xbf"):
        content = content[3:]
        faults.append(
            problem(
                "byte order mark",
                "EF BB BF before the first column",
                f"the file to begin with {names[0]}",
                "save as UTF-8 without BOM",
                1,
                names[0],
            )
        )
    if b"\r" in content:
        row = content[: content.index(b"\r")].count(b"\n") + 1
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        faults.append(problem("line ends", "CR or CRLF", "LF alone", "save with Unix line ends", row))
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        return faults + [_not_utf8(problem, content, error.start, names)]
    return faults + _shape_problems(problem, text, names)


def _not_utf8(problem, content: bytes, start: int, names: list[str]) -> Problem:
    row = content[:start].count(b"\n") + 1
    line_start = content.rfind(b"\n", 0, start) + 1
    before = next(csv.reader([content[line_start:start].decode("utf-8") + "x"]))
    line = content[line_start:].split(b"\n", 1)[0].decode("cp1252", errors="replace")
    cell = next(csv.reader([line]))[len(before) - 1 : len(before)]
    column = names[len(before) - 1] if len(before) <= len(names) else None
    found = f"byte {content[start]:02X}, which in cp1252 reads {short(cell[0]) if cell else '?'}"
    return problem("not UTF-8", found, "UTF-8 text", "save the file as CSV UTF-8", row, column)


def _shape_problems(problem, text: str, names: list[str]) -> list[Problem]:
    """Look at separators, header, line breaks and the number of cells; what comes first hides what follows from it."""
    header = text.split("\n", 1)[0]
    for separator, word in ((";", "semicolons"), ("\t", "tabs")):
        if separator in header and header.count(separator) >= header.count(","):
            return [problem("separator", f"{word} between the cells", "commas", "save as comma-separated CSV", 1)]
    lines: list[tuple[int, int, list[str]]] = []
    try:
        for line in _numbered(text):
            lines.append(line)
    except csv.Error as error:
        first = lines[-1][1] + 1 if lines else 1
        if not text.endswith("\n") and first > text.count("\n"):
            return [_truncated(problem, text, names)]
        return [problem("not CSV", str(error), "quotation marks in pairs", "look for a lone quotation mark", first)]
    faults = _header_problems(problem, lines[0][2], names)
    if faults:
        return faults
    if not text.endswith("\n"):
        lines.pop()
        faults.append(_truncated(problem, text, names))
    if len(lines) == 1 and not faults:
        return [problem("empty table", "a header without rows", "at least one row", "restore the rows")]
    for first, last, cells in lines[1:]:
        if len(cells) != len(names):
            todo = "add or remove commas; a text with a comma needs quotation marks"
            faults.append(problem("number of cells", f"{len(cells)} cells", f"{len(names)} cells", todo, first))
        elif first != last:
            faults.append(problem("line break", "a line break in a cell", "a row a line", "take it out", first))
    return faults


def _truncated(problem, text: str, names: list[str]) -> Problem:
    row = text.count("\n") + 1
    cells = next(csv.reader([text.rsplit("\n", 1)[-1]]))
    column = names[len(cells) - 1] if len(cells) <= len(names) else None
    found = f"the file ends at {short(cells[-1])}, without a line end"
    return problem(
        "truncated", found, f"{len(names)} cells and a line end", "the file was cut off: restore its end", row, column
    )


def _numbered(text: str) -> Iterator[tuple[int, int, list[str]]]:
    """Give each row of a CSV text with the numbers of its first and last line."""
    reader, first = csv.reader(io.StringIO(text, newline=""), strict=True), 1
    for cells in reader:
        yield first, reader.line_num, cells
        first = reader.line_num + 1


def _header_problems(problem, found: list[str], names: list[str]) -> list[Problem]:
    if found == names:
        return []
    missing = [name for name in names if name not in found]
    extra = [name for name in found if name not in names]
    said = [f"missing {', '.join(missing)}"] if missing else []
    said += [f"not known {', '.join(extra)}"] if extra else []
    if len(set(found)) < len(found):
        said.append("a name twice")
    first = next((b or a for a, b in zip(found, names, strict=False) if a != b), (missing + extra + names)[0])
    return [
        problem(
            "header",
            short(",".join(found)) + f" ({'; '.join(said) or 'another order'})",
            ",".join(names),
            f"name and order the columns as {DESCRIPTION} does",
            1,
            first,
        )
    ]
