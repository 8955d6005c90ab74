"""When a site is built anew: whenever something it is made from has changed, and not otherwise."""

import pytest

from rareearths import build


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A book of four files, in place of the repository."""
    for name in ("book/index.md", "book/references.bib", "rareearths/x.py", "data/t.csv", "_toc.yml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("before")
    monkeypatch.setattr(build, "REPOSITORY", tmp_path)
    monkeypatch.setattr(build.data, "root", lambda: tmp_path / "data")
    return tmp_path


@pytest.mark.parametrize("name", ["book/index.md", "rareearths/x.py", "data/t.csv", "_toc.yml"])
def test_a_change_of_what_it_is_made_from_is_seen(book, name):
    before = build.fingerprint()
    (book / name).write_text("after")
    assert build.fingerprint() != before


def test_what_the_build_itself_renews_calls_for_no_other_build(book):
    before = build.fingerprint()
    (book / build.MADE_BY_THE_BUILD).write_text("after")
    (book / "rareearths" / "__pycache__").mkdir()
    (book / "rareearths" / "__pycache__" / "x.pyc").write_text("compiled")
    assert build.fingerprint() == before


def test_another_address_of_the_site_is_another_site(book, monkeypatch):
    before = build.fingerprint()
    monkeypatch.setenv(build.URL_VARIABLE, "https://example.org")
    assert build.fingerprint() != before
