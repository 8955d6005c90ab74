"""What a schema cannot say: that parts add up, that two publishers agree, that a known fault is still there.

Each check takes the tables by name and gives its problems. A difference that is known and explained stands in a
list of exceptions; an exception that the data no longer need is itself a problem, so the lists stay true.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pandas as pd

from rareearths.check import Problem

Tables = dict[str, pd.DataFrame]

FIRST_ROW = 2
"""Row number in an editor of the first row of a table: the header is row 1."""

TOTAL_DIGITS = 2
"""USGS rounds world totals, and most country figures, to at least two significant digits."""

SHARES_TOTAL = 100
"""Percent. USGS prints whole percents and gives the rest as "other", so a set adds up without tolerance."""

RESERVES_BOUND_STEP = 5_000_000
"""Tonnes. USGS prints lower bounds of world reserves in steps of 5 million (>90, >85, >75 million), so the
parts may exceed a bound by less than one step."""

PUBLISHERS_BAND = 0.15
"""Relative difference of USGS and BGS that is let pass, by judgement: independent estimates of one output differ
by up to 13 percent (Myanmar 2020) where neither publisher has made a mistake."""

PUBLISHERS_FLOOR = 1_000
"""Tonnes of oxide. Below it no difference counts: figures of small producers are guesses of one or two digits."""

HISTORY_BAND = 0.03
"""Relative difference of Data Series 140 and the newest MCS world total that is let pass; USGS moves its own
world totals by as much between editions (280,000 t to 290,000 t for 2021)."""

PRICES_BAND = 0.15
"""Relative difference of one price in two editions that is let pass: the newest year of an edition is an estimate."""

PRICES_FLOOR = 1.0
"""USD per unit. Below it no difference counts: older editions print whole dollars."""

REASONS_FOR_A_BLANK = {"not_available", "withheld", "net_exporter", "not_applicable", "rank_only"}
"""Flags that explain a missing value."""

CHAPTERS = Path(__file__).resolve().parent.parent / "book"
"""The chapters, which may cite a source that no table uses."""


@dataclass(frozen=True)
class Known:
    """A difference that is known: the things (such as a country and a year) that show it, and why it is there."""

    where: tuple[tuple, ...]
    why: str


def _years(country: str, first: int, last: int) -> tuple[tuple, ...]:
    return tuple((country, year) for year in range(first, last + 1))


PUBLISHERS_KNOWN = (
    Known(_years("USA", 2018, 2023), "BGS takes USGS's tonnes of oxide for concentrate, counts 60 percent"),
    Known(_years("CHN", 2014, 2020), "USGS prints the official quota, BGS estimates output"),
    Known(_years("WLD", 2014, 2019), "the world totals carry the difference over China"),
    Known(_years("AUS", 2020, 2021), "BGS counts the year to 30 June"),
    Known(_years("IND", 2020, 2023), "BGS counts the year to 31 March and another set of minerals; not settled"),
    Known(_years("MMR", 2022, 2023), "both estimate from China's imports, in different ways"),
    Known((("MDG", 2021),), "USGS printed 6,800 t in MCS 2023 and 6,000 t in MYB 2022, BGS 2,000 t; not settled"),
)
"""Where USGS and BGS differ by more than the band; all conflicts are told in the description of mine_production."""

HISTORY_KNOWN = (
    Known(
        tuple((year,) for year in (2006, 2008, 2010, 2011, 2012, 2016, 2017)),
        "Data Series 140 is later and rests on the Minerals Yearbook; the MCS printings were not revised",
    ),
)
"""Years in which Data Series 140 and the newest MCS printing of the world total differ by more than the band."""

PRICES_KNOWN = (
    Known((("neodymium oxide 99.5% min", 2021),), "MCS 2022 and 2023 print 49, an error; later editions print 98"),
)
"""Prices that differ between editions by more than the band."""


def run(tables: Tables) -> list[Problem]:
    """Run all cross-checks on tables that fit their schema, keyed by name; first see that what they need is there."""
    missing = [
        Problem(
            "datapackage.yaml",
            "missing column",
            f"table {name} without {column}" if name in tables else f"no table {name}",
            f"the column {column} of the table {name}, which cross-checks need",
            "describe the table as the shipped package does",
        )
        for name, columns in NEEDED.items()
        for column in columns
        if name not in tables or column not in tables[name]
    ]
    return missing or [problem for one in CHECKS for problem in one(tables)]


# Parts and totals


def production_adds_up(tables: Tables) -> Iterator[Problem]:
    """Hold the countries of one USGS edition and year against its printed world total, within the rounding of both."""
    usgs = tables["mine_production"].query("publisher == 'USGS'")
    for (edition, year, _), group in usgs.groupby(["edition", "year", "source_id"]):
        world = group[group.country_iso3 == "WLD"]
        parts = group[group.country_iso3 != "WLD"]
        if len(world) != 1 or not _is_full_table(parts):
            continue
        total, room = world.tonnes_reo.iloc[0], _room(world, parts, "tonnes_reo")
        summed = parts.tonnes_reo.sum()
        if abs(summed - total) > room:
            yield _problem(
                "mine_production",
                "parts do not add up",
                f"{edition}, {year}: the countries add up to {summed:,.0f} t, the world is {total:,.0f} t",
                f"a difference of {room:,.0f} t or less, the rounding of the printed figures",
                "look for a wrong, missing or doubled country in this edition and year",
                world.index[0],
                "tonnes_reo",
            )


def reserves_add_up(tables: Tables) -> Iterator[Problem]:
    """Hold the countries of one edition against its printed world reserves; a bound has to lie just below the sum."""
    reserves = tables["reserves"]
    for edition, group in _corrected_editions(reserves):
        world = group[group.country_iso3 == "WLD"]
        parts = group[group.country_iso3 != "WLD"]
        if len(world) != 1 or not _is_full_table(parts):
            continue
        total, summed = world.reserves_tonnes_reo.iloc[0], parts.reserves_tonnes_reo.sum()
        if _has(world, "lower_bound").iloc[0]:
            room = sum(_half_unit(value) for value in parts.reserves_tonnes_reo.dropna())
            fits = total - room <= summed < total + RESERVES_BOUND_STEP + room
            expected = f"a sum above the bound by less than {RESERVES_BOUND_STEP + room:,.0f} t"
        else:
            room = _room(world, parts, "reserves_tonnes_reo")
            fits = abs(summed - total) <= room
            expected = f"a difference of {room:,.0f} t or less, the rounding of the printed figures"
        if not fits:
            yield _problem(
                "reserves",
                "parts do not add up",
                f"{edition}: the countries add up to {summed:,.0f} t, the world is {total:,.0f} t",
                expected,
                "look for a wrong, missing or doubled country in this edition",
                world.index[0],
                "reserves_tonnes_reo",
            )


def import_shares_add_up(tables: Tables) -> Iterator[Problem]:
    """Hold the import shares of one edition and product against 100 percent."""
    return _shares_add_up(tables, "us_import_sources", ["edition", "chapter", "product"])


def end_use_shares_add_up(tables: Tables) -> Iterator[Problem]:
    """Hold the shares of end uses of one edition and year against 100 percent."""
    return _shares_add_up(tables, "us_end_use", ["edition", "year", "country_iso3", "scope"])


def _shares_add_up(tables: Tables, name: str, keys: list[str]) -> Iterator[Problem]:
    for key, group in tables[name].dropna(subset="share_pct").groupby(keys):
        if not math.isclose(group.share_pct.sum(), SHARES_TOTAL):
            yield _problem(
                name,
                "shares do not add up",
                f"{', '.join(map(str, key))}: {group.share_pct.sum():g} percent",
                f"{SHARES_TOTAL} percent",
                "look for a wrong, missing or doubled share",
                group.index[0],
                "share_pct",
            )


# Two publications of one figure


def publishers_agree(tables: Tables) -> Iterator[Problem]:
    """Hold BGS against the newest USGS printing, by country and year, within a band and its known exceptions."""
    usgs, table = newest_usgs(tables["mine_production"]), tables["mine_production"]
    bgs = table[(table.publisher == "BGS") & table.tonnes_reo.notna()].reset_index(names="row")
    pairs = bgs.merge(usgs, on=["country_iso3", "year"], suffixes=("", "_usgs"))
    apart = (pairs.tonnes_reo - pairs.tonnes_reo_usgs).abs()
    pairs["differ"] = (apart > PUBLISHERS_FLOOR) & (apart > PUBLISHERS_BAND * pairs.tonnes_reo_usgs)
    pairs["said"] = [
        f"BGS {p.tonnes_reo:,.0f} t, USGS ({p.edition_usgs}) {p.tonnes_reo_usgs:,.0f} t" for p in pairs.itertuples()
    ]
    expected = f"a difference of {PUBLISHERS_BAND:.0%} or {PUBLISHERS_FLOOR:,} t at most"
    yield from _differences(
        ("mine_production", "tonnes_reo"),
        pairs,
        ["country_iso3", "year"],
        "PUBLISHERS_KNOWN",
        PUBLISHERS_KNOWN,
        expected,
    )


def history_agrees(tables: Tables) -> Iterator[Problem]:
    """Hold world totals of Data Series 140 against the newest MCS printing, within a band and its known exceptions."""
    usgs = newest_usgs(tables["mine_production"]).query("country_iso3 == 'WLD'")
    history = tables["world_production_history"].query("measure == 'world_production'").reset_index(names="row")
    pairs = history.merge(usgs, on="year", suffixes=("", "_usgs"))
    pairs["differ"] = (pairs.value - pairs.tonnes_reo).abs() > HISTORY_BAND * pairs.tonnes_reo
    pairs["said"] = [
        f"Data Series 140 {p.value:,.0f} t, {p.edition_usgs} {p.tonnes_reo:,.0f} t" for p in pairs.itertuples()
    ]
    expected = f"a difference of {HISTORY_BAND:.0%} at most"
    yield from _differences(
        ("world_production_history", "value"), pairs, ["year"], "HISTORY_KNOWN", HISTORY_KNOWN, expected
    )


def prices_agree(tables: Tables) -> Iterator[Problem]:
    """Hold the editions of one price against each other; the wrong neodymium price of 2021 has to be there still."""
    prices = tables["us_prices"].dropna(subset="price").reset_index(names="row")
    grouped = prices.groupby(["product", "year", "unit"])
    pairs = grouped.agg(row=("row", "first"), low=("price", "min"), high=("price", "max")).reset_index()
    pairs["differ"] = (pairs.high - pairs.low > PRICES_FLOOR) & (pairs.high > (1 + PRICES_BAND) * pairs.low)
    pairs["said"] = [f"{p.low:g} in one edition, {p.high:g} {p.unit} in another" for p in pairs.itertuples()]
    expected = f"editions that differ by {PRICES_BAND:.0%} or {PRICES_FLOOR:g} USD at most"
    yield from _differences(("us_prices", "price"), pairs, ["product", "year"], "PRICES_KNOWN", PRICES_KNOWN, expected)


def us_production_is_the_same(tables: Tables) -> Iterator[Problem]:
    """Hold the United States in the world table against the salient statistics of the same edition, exactly."""
    world = tables["mine_production"].query("publisher == 'USGS' and country_iso3 == 'USA'").reset_index(names="row")
    salient = tables["us_salient"].query("chapter == 'rare earths' and measure == 'production_mineral_concentrates'")
    pairs = world.merge(salient, on=["edition", "year"], suffixes=("", "_salient"))
    for pair in pairs[pairs.tonnes_reo != pairs.value].itertuples():
        yield _problem(
            "mine_production",
            "two figures for one",
            f"{pair.edition}, {pair.year}: {pair.tonnes_reo:,.0f} t here, {pair.value:,.0f} t in us_salient",
            "one figure, both tables being of one chapter",
            "look both up in the edition",
            pair.row,
            "tonnes_reo",
        )


def newest_usgs(mine_production: pd.DataFrame) -> pd.DataFrame:
    """Give the newest MCS printing for each country and year, USGS's own text before texts that quote it.

    Returns:
        Rows of ``mine_production`` with a figure in tonnes of oxide, one a country and year.
    """
    rows = mine_production[mine_production.edition.str.startswith("MCS") & mine_production.tonnes_reo.notna()]
    order = rows.assign(quoted=_has(rows, "secondary")).sort_values(["edition", "quoted"], ascending=[False, True])
    return order.drop_duplicates(["country_iso3", "year"]).drop(columns="quoted")


# Flags and sources


def superseded_has_successor(tables: Tables) -> Iterator[Problem]:
    """See that each superseded reserve or price has a later edition that replaces it."""
    reserves = tables["reserves"].assign(order=tables["reserves"].edition_date)
    prices = tables["us_prices"].assign(order=tables["us_prices"].edition)
    for name, table, keys in (("reserves", reserves, ["country_iso3"]), ("us_prices", prices, ["product", "year"])):
        for row in table[_has(table, "superseded")].itertuples():
            same = (table[keys] == [getattr(row, key) for key in keys]).all(axis=1)
            if not (same & ~_has(table, "superseded") & (table.order > row.order)).any():
                yield _problem(
                    name,
                    "superseded by nothing",
                    f"{', '.join(str(getattr(row, key)) for key in keys)} in {row.edition}",
                    "a row of a later edition with the same " + ", ".join(keys),
                    "add the successor, or take the flag away",
                    row.Index,
                    "flag",
                )


def blanks_are_explained(tables: Tables) -> Iterator[Problem]:
    """See that a missing value has a flag that says why, so that blank is never read as 0."""
    for name, columns in VALUES.items():
        table = tables[name]
        unexplained = table[columns].isna().all(axis=1) & ~_has(table, *REASONS_FOR_A_BLANK)
        for row in table[unexplained].itertuples():
            yield _problem(
                name,
                "unexplained blank",
                "a blank cell" + (f" with the flag {row.flag}" if isinstance(row.flag, str) else ""),
                "a value, or one of the flags " + ", ".join(sorted(REASONS_FOR_A_BLANK)),
                "fill the cell or say why it is blank",
                row.Index,
                columns[0],
            )


def zeros_are_flagged(tables: Tables) -> Iterator[Problem]:
    """See that a value of 0 has the flag zero and no other value has it."""
    for name, (column, *_) in VALUES.items():
        table = tables[name]
        for row in table[(table[column] == 0) != _has(table, "zero")].itertuples():
            yield _problem(
                name,
                "zero and flag differ",
                f"{getattr(row, column):g} with {'the flag ' + row.flag if isinstance(row.flag, str) else 'no flag'}",
                "the flag zero at 0, and at 0 only",
                "correct the value or the flag; leave the cell blank if the value is missing",
                row.Index,
                column,
            )


def sources_are_used(tables: Tables) -> Iterator[Problem]:
    """See that some table or some chapter cites each source."""
    used: set[str] = set()
    for name, table in tables.items():
        if name != "sources" and "source_id" in table:
            used |= set(table.source_id)
    unused = tables["sources"][~tables["sources"].source_id.isin(used)]
    text = _chapters() if len(unused) else ""
    for row in unused.itertuples():
        if re.search(rf"\b{re.escape(row.source_id)}\b", text):
            continue
        yield _problem(
            "sources",
            "unused source",
            row.source_id,
            "a table or a chapter that cites it",
            "take the row away, or cite it",
            row.Index,
            "source_id",
        )


VALUES = {
    "mine_production": ["tonnes_reo"],
    "reserves": ["reserves_tonnes_reo"],
    "world_production_history": ["value"],
    "us_salient": ["value", "value_low"],
    "us_import_sources": ["share_pct"],
    "us_prices": ["price", "price_low"],
    "us_end_use": ["share_pct"],
}
"""Columns that hold the figure of a row; the second one where a range stands in for it."""

NEEDED = {
    "sources": ["source_id"],
    "mine_production": ["publisher", "year", "country_iso3", "tonnes_reo", "flag", "edition", "source_id"],
    "reserves": ["country_iso3", "reserves_tonnes_reo", "flag", "edition", "edition_date", "source_id"],
    "world_production_history": ["year", "measure", "value", "flag", "source_id"],
    "us_salient": ["chapter", "year", "measure", "value", "value_low", "flag", "edition", "source_id"],
    "us_import_sources": ["edition", "chapter", "product", "share_pct", "flag", "source_id"],
    "us_prices": ["year", "product", "price", "price_low", "unit", "flag", "edition", "source_id"],
    "us_end_use": ["year", "country_iso3", "scope", "share_pct", "flag", "edition", "source_id"],
}
"""Tables and columns without which the checks cannot run."""

CHECKS: tuple[Callable[[Tables], Iterable[Problem]], ...] = (
    production_adds_up,
    reserves_add_up,
    import_shares_add_up,
    end_use_shares_add_up,
    publishers_agree,
    history_agrees,
    prices_agree,
    us_production_is_the_same,
    superseded_has_successor,
    blanks_are_explained,
    zeros_are_flagged,
    sources_are_used,
)


# Tools


def _chapters() -> str:
    files = sorted(path for path in CHAPTERS.rglob("*") if path.suffix in (".ipynb", ".md"))
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def _problem(name: str, rule: str, found: str, expected: str, todo: str, index=None, column=None) -> Problem:
    row = None if index is None else int(index) + FIRST_ROW
    file = "sources.csv" if name == "sources" else f"production/{name}.csv"
    return Problem(file, rule, found, expected, todo, row, column)


def _differences(
    place: tuple[str, str],
    pairs: pd.DataFrame,
    keys: list[str],
    listed_in: str,
    known: tuple[Known, ...],
    expected: str,
) -> Iterator[Problem]:
    """Report pairs that differ and are not known, and known ones that no longer do; ``place`` is table and column."""
    name, value = place
    excused = {where: one.why for one in known for where in one.where}
    differing = set()
    for pair in pairs[pairs.differ].itertuples():
        key = tuple(getattr(pair, column) for column in keys)
        differing.add(key)
        if key not in excused:
            yield _problem(
                name,
                "two publications differ",
                f"{', '.join(map(str, key))}: {pair.said}",
                expected,
                f"look both up; if both are as printed, explain it in {listed_in} of rareearths/crosschecks.py",
                pair.row,
                value,
            )
    for key in sorted(set(excused) - differing, key=str):
        yield _problem(
            name,
            "exception not needed",
            f"{', '.join(map(str, key))} no longer differs",
            f"the known fault: {excused[key]}",
            f"take it out of {listed_in} in rareearths/crosschecks.py, and out of the table's description",
        )


def _corrected_editions(reserves: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Give each edition whole; a corrected version such as "MCS 2026 v1.3" is its base with some rows replaced."""
    for edition, group in reserves[~_has(reserves, "secondary")].groupby("edition"):
        base, _, version = edition.partition(" v")
        if version:
            rest = reserves[(reserves.edition == base) & ~reserves.country_iso3.isin(group.country_iso3)]
            group = pd.concat([rest, group])
        yield edition, group


def _is_full_table(parts: pd.DataFrame) -> bool:
    """Tell a table by country from single figures such as China alone."""
    return parts.country_iso3.nunique() > 3


def _room(world: pd.DataFrame, parts: pd.DataFrame, column: str) -> float:
    """Give the difference that rounding alone can make: half a unit of the total's last digit and of each part's."""
    rounded = parts[~_has(parts, "quota")].dropna(subset=column)
    return _half_unit(world[column].iloc[0]) + sum(_half_unit(value) for value in rounded[column])


def _half_unit(value: float) -> float:
    """Give half a unit of the last digit a figure is printed to: its last digit that is not 0, the second at the least.

    >>> _half_unit(380_000), _half_unit(300_000), _half_unit(376_000)
    (5000.0, 5000.0, 500.0)
    """
    if not value:
        return 0.0
    last_digit = Decimal(repr(float(value))).normalize().as_tuple().exponent
    return 10.0 ** min(last_digit, math.floor(math.log10(value)) - TOTAL_DIGITS + 1) / 2


def _has(table: pd.DataFrame, *flags: str) -> pd.Series:
    """Tell which rows carry one of the flags."""
    return table.flag.fillna("").map(lambda words: bool(set(flags) & set(words.split(";"))))
