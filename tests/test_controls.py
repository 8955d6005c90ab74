"""The status of controls on a day, against cases worked out by hand from the documents."""

import datetime

import pytest

from rareearths import controls, data

SEVEN = {"Sm", "Gd", "Tb", "Dy", "Lu", "Sc", "Y"}
"""Elements of Announcement No. 18 of 4 April 2025."""
FIVE = {"Ho", "Er", "Tm", "Eu", "Yb"}
"""Elements of Announcement No. 57 of 9 October 2025."""


def elements(day, measure, status):
    rows = controls.at(day)
    return set(rows[(rows["measure_id"] == measure) & (rows["status"] == status)]["element"])


def test_the_seven_elements_are_licensed_from_the_fourth_of_april_2025():
    assert elements("2025-04-03", "M062", controls.TO_COME) == SEVEN
    assert elements("2025-04-04", "M062", controls.IN_FORCE) == SEVEN
    assert elements("2026-10-09", "M062", controls.IN_FORCE) == SEVEN


def test_the_five_elements_were_parked_before_they_started():
    assert elements("2025-11-06", "M080", controls.TO_COME) == FIVE
    for day in ("2025-11-07", "2025-11-08", "2026-10-09"):
        assert elements(day, "M080", controls.SUSPENDED) == FIVE


def test_the_prohibition_of_technology_was_never_suspended():
    rows = controls.at("2026-10-09")
    rows = rows[(rows["measure_id"] == "M047") & (rows["severity"] == "prohibition")]
    assert len(rows) and set(rows["status"]) == {controls.IN_FORCE}


def test_the_earlier_catalogue_ends_on_the_day_the_new_one_starts():
    for day, old, new in (
        ("2023-12-20", controls.IN_FORCE, controls.TO_COME),
        ("2023-12-21", controls.ENDED, controls.IN_FORCE),
    ):
        assert elements(day, "M007", old) and elements(day, "M047", new)


def test_a_start_known_by_year_counts_from_its_first_day():
    assert not elements("2004-12-31", "M006", controls.IN_FORCE)
    assert elements("2005-01-01", "M006", controls.IN_FORCE)
    assert elements("2015-01-01", "M006", controls.ENDED)


def test_after_the_record_nothing_is_said_to_be_lifted():
    rows = controls.at("2026-11-11")
    assert set(rows["status"]) == {controls.UNKNOWN, controls.ENDED}
    assert elements("2026-11-11", "M077", controls.UNKNOWN)


def test_the_description_names_the_same_last_day():
    day = controls.RECORD_TO
    assert f"record to {day.day} {day:%B %Y}" in data.describe("controls")["coverage"]
    assert not controls.at(day)["status"].eq(controls.UNKNOWN).any()


@pytest.mark.parametrize("day", ["2025-02-30", "4 April 2025", "", None, 2025])
def test_what_is_no_date_is_refused(day):
    with pytest.raises(ValueError, match="write year-month-day, for example 2025-04-04"):
        controls.at(day)


def test_dates_may_be_given_as_dates():
    assert controls.at(datetime.date(2025, 4, 4)).equals(controls.at("2025-04-04"))
