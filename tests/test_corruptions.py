"""Three hundred random corruptions of the real tables: what breaks a stated rule is told, with file, row and column.

Each corruption is made from its own seed, so that a failure can be made again. What can slip past is the list
``NOT_A_RULE``: changes that leave a table which could be true. They are made too, and how many of them the
cross-checks notice all the same is printed.
"""

from __future__ import annotations

import csv
import io
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from rareearths import check, data
from rareearths.check import cells
from rareearths.crosschecks.evidence import REASONS_FOR_A_BLANK

SEEDS_A_KIND = 12
Rows = list[list[str]]


@dataclass(frozen=True)
class Damage:
    """What was done: the content of the damaged file, and where a message has to point."""

    content: bytes
    row: int | None = None
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table as it is before the damage."""

    name: str
    path: str
    fields: list[dict]
    resource: dict
    rows: Rows  # without the header

    @property
    def names(self) -> list[str]:
        return [field["name"] for field in self.fields]

    def bytes(self, rows: Rows | None = None, header: list[str] | None = None, separator: str = ",") -> bytes:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n", delimiter=separator)
        writer.writerow(header or self.names)
        writer.writerows(self.rows if rows is None else rows)
        return out.getvalue().encode()

    def with_cell(self, place: int, column: str, value: str, also: tuple[str, ...] = ()) -> Damage:
        rows = [list(row) for row in self.rows]
        rows[place][self.names.index(column)] = value
        return Damage(self.bytes(rows), place + 2, (column, *also))


def read(name: str) -> Table:
    resource = data.describe(name)
    with (data.root() / resource["path"]).open(encoding="utf-8", newline="") as file:
        return Table(name, resource["path"], resource["schema"]["fields"], resource, list(csv.reader(file))[1:])


TABLES = [read(name) for name in data.tables()]


def pick(random_: random.Random, wanted: Callable[[Table, dict], bool]) -> tuple[Table, dict, int]:
    """Choose a table, one of its fields of the wanted kind, and a row that has a value there."""
    choices = [(table, field) for table in TABLES for field in table.fields if wanted(table, field)]
    table, field = random_.choice(choices)
    column = table.names.index(field["name"])
    return table, field, random_.choice([place for place, row in enumerate(table.rows) if row[column]])


def has_values(table: Table, field: dict) -> bool:
    column = table.names.index(field["name"])
    return any(row[column] for row in table.rows)


def of_type(*types: str):
    return lambda table, field: field["type"] in types and has_values(table, field)


def limit(key: str):
    return lambda table, field: key in field.get("constraints", {}) and has_values(table, field)


# Kinds of damage, each with the rule that it breaks


def wrong_type(r: random.Random) -> tuple[Table, Damage]:
    table, field, place = pick(r, of_type("integer", "number", "date", "boolean"))
    return table, table.with_cell(
        place, field["name"], r.choice(["about 5", "n/a", "2,5", "31/12/2025", "4.4E+07", "1_0"])
    )


def below_the_range(r):
    table, field, place = pick(r, lambda t, f: f["type"] in ("integer", "number") and limit("minimum")(t, f))
    return table, table.with_cell(place, field["name"], str(field["constraints"]["minimum"] - r.choice([1, 7, 1000])))


def above_the_range(r):
    table, field, place = pick(r, lambda t, f: f["type"] in ("integer", "number") and limit("maximum")(t, f))
    return table, table.with_cell(place, field["name"], str(field["constraints"]["maximum"] + r.choice([1, 7, 1000])))


def word_not_listed(r):
    table, field, place = pick(r, limit("enum"))
    return table, table.with_cell(place, field["name"], r.choice(["bushel", "Other", field["name"]]))


def unit_not_listed(r):
    wanted = lambda t, f: f["name"].endswith("unit") and limit("enum")(t, f)  # noqa: E731
    table, field, place = pick(r, wanted)
    return table, table.with_cell(place, field["name"], r.choice(["lb", "T", "tonnes", "US$/kg"]))


def pattern_broken(r):
    table, field, place = pick(r, limit("pattern"))
    return table, table.with_cell(place, field["name"], r.choice([" x", "?", "a b c", "É"]))


def required_cell_blank(r):
    table, field, place = pick(r, limit("required"))
    keys = table.resource["schema"].get("primaryKey", [])
    return table, table.with_cell(place, field["name"], "", tuple(keys))


def key_doubled(r):
    table = r.choice([t for t in TABLES if t.resource["schema"].get("primaryKey")])
    rows = [*table.rows, list(r.choice(table.rows))]
    return table, Damage(table.bytes(rows), len(rows) + 1, (", ".join(table.resource["schema"]["primaryKey"]),))


def foreign_key_unknown(r):
    foreign = {t.name: [k["fields"][0] for k in t.resource["schema"].get("foreignKeys", [])] for t in TABLES}
    table, field, place = pick(r, lambda t, f: f["name"] in foreign[t.name] and has_values(t, f))
    column = field["name"]
    invented = "no_such_source" if "source" in column else "QQQ" if column.endswith("iso3") else "Qq"
    return table, table.with_cell(place, column, invented)


def list_with_unknown_word(r):
    table, field, place = pick(r, lambda t, f: "listOf" in f and has_values(t, f))
    cell = table.rows[place][table.names.index(field["name"])]
    spoiled = r.choice([f"{cell};guessed", f"{cell};", cell.replace(";", ", ") + " ", f"{cell};{cell.split(';')[0]}"])
    return table, table.with_cell(place, field["name"], spoiled)


def blank_without_a_reason(r):
    tables = [t for t in TABLES if t.resource.get("values")]
    table = r.choice(tables)
    columns = [table.names.index(name) for name in table.resource["values"]]
    flag = table.names.index("flag")
    free = [p for p, row in enumerate(table.rows) if not REASONS_FOR_A_BLANK & set(row[flag].split(";"))]
    place = r.choice(free)
    rows = [list(row) for row in table.rows]
    for column in columns:
        rows[place][column] = ""
    return table, Damage(table.bytes(rows), place + 2, tuple(table.resource["values"]))


def nought_and_flag_differ(r):
    tables = [t for t in TABLES if t.resource.get("zeros") == "flagged"]
    table = r.choice(tables)
    column, flag = table.resource["values"][0], table.names.index("flag")
    place = r.choice([p for p, row in enumerate(table.rows) if row[table.names.index(column)] not in ("", "0")])
    rows = [list(row) for row in table.rows]
    rows[place][flag] = ";".join(filter(None, [rows[place][flag], "zero"]))
    return table, Damage(table.bytes(rows), place + 2, (column,))


def ends_exchanged(r):
    """Dates, or the ends of a range, in the wrong order."""
    pairs = [
        (t, low, high, place)
        for t in TABLES
        for low in t.names
        for first, last in (("_start", "_end"), ("_from", "_to"), ("_low", "_high"))
        if low.endswith(first)
        for high in [low.removesuffix(first) + last]
        if high in t.names
        for place, row in enumerate(t.rows)
        if row[t.names.index(low)] and row[t.names.index(high)] and row[t.names.index(low)] != row[t.names.index(high)]
    ]
    table, low, high, place = r.choice(pairs)
    rows = [list(row) for row in table.rows]
    a, b = table.names.index(low), table.names.index(high)
    rows[place][a], rows[place][b] = rows[place][b], rows[place][a]
    stem = low.rsplit("_", 1)[0]
    return table, Damage(table.bytes(rows), place + 2, (low, high, stem, f"{stem}_mid"))


def other_encoding(r):
    table = r.choice(TABLES)
    rows = [list(row) for row in table.rows]
    rows[r.randrange(len(rows))][r.randrange(len(table.names))] += "é"
    text = table.bytes(rows).decode()
    first = next(number for number, line in enumerate(text.split("\n"), start=1) if not line.isascii())
    return table, Damage(text.encode("cp1252", "replace"), first)


def byte_order_mark_or_utf16(r):
    table = r.choice(TABLES)
    content = table.bytes()
    return table, Damage(b"\xef\xbb\xbf" + content if r.random() < 0.5 else content.decode().encode("utf-16"), 1)


def other_delimiter(r):
    table = r.choice(TABLES)
    return table, Damage(table.bytes(separator=r.choice([";", "\t"])), 1)


def windows_line_ends(r):
    table = r.choice(TABLES)
    return table, Damage(table.bytes().replace(b"\n", r.choice([b"\r\n", b"\r"])), 1)


def header_renamed(r):
    table = r.choice(TABLES)
    place = r.randrange(len(table.names))
    header = [*table.names]
    header[place] = r.choice([header[place].upper(), header[place] + "_", "value2", ""])
    return table, Damage(table.bytes(header=header), 1, (header[place], table.names[place]))


def column_dropped(r):
    table = r.choice([t for t in TABLES if len(t.names) > 1])
    place = r.randrange(len(table.names))
    header = [name for name in table.names if name != table.names[place]]
    rows = [row[:place] + row[place + 1 :] for row in table.rows]
    return table, Damage(table.bytes(rows, header), 1)


def columns_swapped(r):
    table = r.choice(TABLES)
    a, b = r.sample(range(len(table.names)), 2)
    swap = lambda row: [row[b] if i == a else row[a] if i == b else cell for i, cell in enumerate(row)]  # noqa: E731
    return table, Damage(table.bytes([swap(row) for row in table.rows], swap(table.names)), 1)


def rows_cut_off(r):
    table = r.choice(TABLES)
    content = table.bytes()
    at = r.randrange(len(content) // 2, len(content) - 1)
    while content[at - 1 : at] == b"\n":
        at -= 1
    return table, Damage(content[:at], content[:at].count(b"\n") + 1)


def cell_too_many(r):
    table = r.choice(TABLES)
    place = r.randrange(len(table.rows))
    rows = [list(row) for row in table.rows]
    rows[place] = rows[place] + ["1"] if r.random() < 0.5 else rows[place][:-1]
    return table, Damage(table.bytes(rows), place + 2)


KINDS = [
    wrong_type,
    below_the_range,
    above_the_range,
    word_not_listed,
    unit_not_listed,
    pattern_broken,
    required_cell_blank,
    key_doubled,
    foreign_key_unknown,
    list_with_unknown_word,
    blank_without_a_reason,
    nought_and_flag_differ,
    ends_exchanged,
    other_encoding,
    byte_order_mark_or_utf16,
    other_delimiter,
    windows_line_ends,
    header_renamed,
    column_dropped,
    columns_swapped,
    rows_cut_off,
    cell_too_many,
]


# What breaks no stated rule


def digit_changed(r):
    table, field, place = pick(r, lambda t, f: f["name"] in t.resource.get("values", []) and of_type("number")(t, f))
    cell = table.rows[place][table.names.index(field["name"])]
    return table, table.with_cell(place, field["name"], str(round(float(cell) * 1.1 + 1, 3)))


def unit_exchanged(r):
    wanted = lambda t, f: f["name"].endswith("unit") and len(f.get("constraints", {}).get("enum", [])) > 1  # noqa: E731
    table, field, place = pick(r, wanted)
    cell = table.rows[place][table.names.index(field["name"])]
    other = r.choice([unit for unit in field["constraints"]["enum"] if unit != cell])
    return table, table.with_cell(place, field["name"], str(other))


def last_rows_missing(r):
    table = r.choice([t for t in TABLES if len(t.rows) > 5])
    return table, Damage(table.bytes(table.rows[: -r.randrange(1, len(table.rows) // 4 + 1)]))


NOT_A_RULE = {
    digit_changed: "another plausible figure; only totals, second publications and neighbouring tables can tell",
    unit_exchanged: "another unit that the table knows; only where the figure is compared with another can it be seen",
    last_rows_missing: "a table states no length, so that it can grow; totals and keys of other tables can tell",
}
"""What can slip past the check, with the reason."""


# The tests


@pytest.fixture(scope="module")
def package(tmp_path_factory) -> Path:
    return shutil.copytree(data.root(), tmp_path_factory.mktemp("package") / "data")


def told(package: Path, table: Table, damage: Damage) -> list[check.Problem]:
    """Damage the file, check the table, and restore the file."""
    path = package / table.path
    whole = path.read_bytes()
    assert damage.content != whole, "no damage was done"
    path.write_bytes(damage.content)
    try:
        return check.check(package, table.name)
    finally:
        path.write_bytes(whole)


def test_the_tables_are_written_as_the_damage_expects():
    for table in TABLES:
        assert table.bytes() == (data.root() / table.path).read_bytes(), table.name


def test_the_quick_look_at_a_table_lets_nothing_through(package, monkeypatch):
    """What the check sees at once and what frictionless says row by row have to be one."""
    for kind in KINDS:
        for seed in range(SEEDS_A_KIND):
            table, damage = kind(random.Random(f"{kind.__name__} {seed}"))
            quick = told(package, table, damage)
            with monkeypatch.context() as patched:
                patched.setattr(cells, "fits", lambda columns, schema: False)
                slow = told(package, table, damage)
            assert list(map(str, quick)) == list(map(str, slow)), (kind.__name__, seed, table.path)


def test_there_are_three_hundred():
    assert SEEDS_A_KIND * (len(KINDS) + len(NOT_A_RULE)) == 300


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_what_breaks_a_rule_is_told_where_it_is(package, kind):
    for seed in range(SEEDS_A_KIND):
        table, damage = kind(random.Random(f"{kind.__name__} {seed}"))
        problems = told(package, table, damage)
        said = "\n".join(map(str, problems))
        case = f"seed {seed}, {table.path}, row {damage.row}, {damage.columns}:\n{said}"
        assert problems, f"passed silently: {case}"
        at_row = [p for p in problems if p.file == table.path and p.row == damage.row]
        assert at_row, f"no message points at the row: {case}"
        if damage.columns:
            assert any(p.column in damage.columns for p in at_row), f"no message points at the column: {case}"
        assert all(p.found and p.expected and p.todo for p in problems), case


def test_what_can_slip_past_is_known(package, capsys):
    lines = []
    for kind, reason in NOT_A_RULE.items():
        noticed = 0
        for seed in range(SEEDS_A_KIND):
            table, damage = kind(random.Random(f"{kind.__name__} {seed}"))
            noticed += bool(told(package, table, damage))
        lines.append(f"{kind.__name__}: {noticed} of {SEEDS_A_KIND} noticed; {reason}")
    with capsys.disabled():
        print("\nWhat can slip past the check:\n  " + "\n  ".join(lines))
    assert len(lines) <= 3
