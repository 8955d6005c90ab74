"""Choose one series out of the editions that stand side by side, by the rules that the tables' descriptions state."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from rareearths.data import flagged


def newest_usgs(mine_production: pd.DataFrame) -> pd.DataFrame:
    """Give the newest MCS printing for each country and year, USGS's own text before texts that quote it.

    Returns:
        Rows of ``mine_production`` with a figure in tonnes of oxide, one a country and year.
    """
    rows = mine_production[mine_production.edition.str.startswith("MCS") & mine_production.tonnes_reo.notna()]
    order = rows.assign(quoted=flagged(rows, "secondary")).sort_values(["edition", "quoted"], ascending=[False, True])
    return order.drop_duplicates(["country_iso3", "year"]).drop(columns="quoted")


def book_prices(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Give one price for each material, form and year, by the rule that the description of usgs_price_series states.

    Averages of the year that the USGS prints come first (``book_rank`` 1), ranges at the end of the year second, both in
    dollars a kilogram; a year without either takes the table ``annual_prices``. Among several printings the newest
    document counts, and what a later one replaced is left out. A range stands with its middle.

    Args:
        tables: us_prices, usgs_price_series, annual_prices and sources by name, as :func:`rareearths.data.load` gives them.

    Returns:
        Columns year, material, form, price_usd_kg (the middle of a range), statistic, flag, edition, source_id and
        locator, sorted.
    """
    columns = ["year", "material", "form", "price_usd_kg", "statistic", "flag", "edition", "source_id", "locator"]
    usgs = tables["us_prices"].merge(
        tables["usgs_price_series"][["product", "basis", "material", "form", "statistic", "book_rank"]],
        on=["product", "basis"],
    )
    usgs = usgs[usgs.book_rank.notna() & (usgs.unit == "USD/kg") & ~flagged(usgs, "superseded")]
    usgs = usgs.assign(price_usd_kg=usgs.price.fillna((usgs.price_low + usgs.price_high) / 2))
    usgs = usgs.dropna(subset="price_usd_kg").merge(tables["sources"][["source_id", "date"]], on="source_id")
    usgs = usgs.sort_values(["book_rank", "date"], ascending=[True, False], kind="stable")
    annual = tables["annual_prices"].reindex(columns=columns)
    both = pd.concat([usgs[columns], annual]).drop_duplicates(["year", "material", "form"])
    return both.sort_values(["material", "form", "year"], ignore_index=True)
