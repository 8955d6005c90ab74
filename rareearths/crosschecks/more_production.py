"""Yttrium and scandium: the countries of a printed table against its world total."""

from __future__ import annotations

from collections.abc import Iterator

from rareearths.check import Problem
from rareearths.crosschecks.tools import Tables, half_unit, needs, problem

LEAST_COUNTRIES = 4
"""A set with fewer countries is no table by country, and its parts need not add up."""


@needs(yttrium_scandium_world="chapter year country_iso3 measure value edition")
def yttrium_adds_up(tables: Tables) -> Iterator[Problem]:
    """Hold the countries of one edition, year and measure against the printed world total, within its rounding."""
    table = tables["yttrium_scandium_world"].dropna(subset="value")
    for key, group in table.groupby(["chapter", "edition", "measure", "year"]):
        world, parts = group[group.country_iso3 == "WLD"], group[group.country_iso3 != "WLD"]
        if len(world) != 1 or len(parts) < LEAST_COUNTRIES:
            continue
        total, summed = world.value.iloc[0], parts.value.sum()
        room = half_unit(total) + sum(half_unit(value) for value in parts.value)
        if abs(summed - total) > room:
            yield problem(
                tables["yttrium_scandium_world"],
                "parts do not add up",
                f"{', '.join(map(str, key))}: the countries add up to {summed:,.0f} t, the world is {total:,.0f} t",
                f"a difference of {room:,.0f} t or less, the rounding of the printed figures",
                "look for a wrong, missing or doubled country in this edition and year",
                world.index[0],
                "value",
            )


CHECKS = (yttrium_adds_up,)
