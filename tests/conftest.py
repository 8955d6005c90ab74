"""What the tests share: a copy of the data, the built site, a browser."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def rareearths(*arguments: str, cwd: Path = REPOSITORY, **environment: str) -> subprocess.CompletedProcess:
    """Run the command line as a user would, and give what it printed."""
    return subprocess.run(
        [sys.executable, "-m", "rareearths", *arguments],
        cwd=cwd,
        text=True,
        capture_output=True,
        env={**os.environ, **environment},
        timeout=600,
        check=False,
    )


@pytest.fixture
def data_copy(tmp_path: Path) -> Path:
    """A copy of data/ that a test may damage."""
    folder = tmp_path / "data"
    shutil.copytree(REPOSITORY / "data", folder)
    return folder


@pytest.fixture(scope="session")
def site() -> Path:
    """The built site; it has to be there, and built from what stands here now."""
    from rareearths import build

    assert build.up_to_date(), (
        "the site is not up to date: run `make book` before the tests, or `make test`, which does"
    )
    return build.HTML


@pytest.fixture(scope="session")
def address(site: Path):
    """Address of the built site, served on loopback."""
    from rareearths.serve import server

    shown = server()
    threading.Thread(target=shown.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{shown.server_port}"
    shown.shutdown()


@pytest.fixture(scope="session")
def browser():
    """The machine's Chromium; without one the tests are skipped, or fail where REQUIRE_BROWSER is set."""
    found = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if not found:
        message = "no Chromium found: install one (on Debian: apt install chromium) to run the browser tests"
        (pytest.fail if os.environ.get("REQUIRE_BROWSER") else pytest.skip)(message)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=CHROMIUM_FLAGS)
        yield chromium
        chromium.close()


def _extra(module: str):
    """Import what `make extra` adds; without it a test is skipped, or fails where REQUIRE_EXTRA is set."""
    try:
        return importlib.import_module(module)
    except ImportError:
        message = f"no {module} found: `make extra` installs it, to run the tests of ensembles"
        (pytest.fail if os.environ.get("REQUIRE_EXTRA") else pytest.skip)(message)


@pytest.fixture(scope="session")
def pyarrow():
    """The package that writes Parquet."""
    return _extra("pyarrow")


@pytest.fixture(scope="session")
def distributed(pyarrow):
    """Dask's package for clusters, where there is also what writes Parquet."""
    return _extra("distributed")
