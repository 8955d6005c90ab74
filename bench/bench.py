"""Measure what pages weigh and how long a build takes, and write bench/results.md. Run it with ``make bench``.

Times are given as ratios within one run on one machine; no test asserts a time.
"""

from __future__ import annotations

import gzip
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
RUNS = 3
SHOWN = ("html", "figures in it", "style", "script", "font", "image")


def main() -> int:
    """Measure, print and write."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "book"
        names = ("book", "data", "rareearths", "_config.yml", "_toc.yml", "CITATION.cff", "requirements.txt")
        for name in names:
            source = REPOSITORY / name
            ignore = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
            shutil.copytree(source, copy / name, ignore=ignore) if source.is_dir() else shutil.copy(source, copy / name)
        times = measure_times(copy)
    weights = measure_weights(REPOSITORY / "_build" / "html")
    text = report(times, weights)
    (REPOSITORY / "bench" / "results.md").write_text(text, encoding="utf-8")
    print(text)
    return 0


def measure_times(copy: Path) -> dict[str, list[float]]:
    """Time each job in turn, several rounds, so that a slow spell of the machine meets all of them."""
    jobs = {"stock": stock, "full": full, "one table": one_table, "nothing": nothing}
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for round_ in range(RUNS + 1):  # the first round warms the caches and is not counted
        for name, job in jobs.items():
            print(f"round {round_} of {RUNS}: {name} ...", file=sys.stderr, flush=True)
            seconds = job(copy)
            if round_:
                times[name].append(seconds)
    return times


def stock(copy: Path) -> float:
    """Jupyter Book itself, executing the same chapters one after another (``force``), with its own theme and extensions."""
    place = copy.with_name("stock")
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(copy, place, ignore=shutil.ignore_patterns("_build"))
    config = (place / "_config.yml").read_text()
    config = config.replace('execute_notebooks: "off"', "execute_notebooks: force")
    config = re.sub(r"sphinx:\n.*", "", config, flags=re.S)
    # Its own pages; only the roles and the renderer of published things, without which the chapters do not parse.
    config += "sphinx:\n  extra_extensions: [rareearths.site]\nbibtex_bibfiles: [book/references.bib]\n"
    (place / "_config.yml").write_text(config)
    return timed(
        [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", str(place), "-q"], place
    )


def full(copy: Path) -> float:
    """All chapters and the whole site from nothing."""
    shutil.rmtree(copy / "_build", ignore_errors=True)
    for chapter in (copy / "book" / "chapters").glob("*.ipynb"):
        content = json.loads(chapter.read_text())
        content["metadata"].pop("rareearths", None)
        chapter.write_text(json.dumps(content))
    return timed([sys.executable, "-m", "rareearths", "book"], copy)


def one_table(copy: Path) -> float:
    """One value of one table that a chapter reads has changed."""
    table = copy / "data" / "production" / "us_import_sources.csv"
    lines = table.read_text().splitlines(keepends=True)
    note = f"measured {time.time_ns()}"
    lines[1] = lines[1].rstrip("\n").rsplit(",", 1)[0] + f",{note}\n"
    table.write_text("".join(lines))
    return timed([sys.executable, "-m", "rareearths", "book"], copy)


def nothing(copy: Path) -> float:
    """Nothing has changed."""
    return timed([sys.executable, "-m", "rareearths", "book"], copy)


def timed(command: list[str], place: Path) -> float:
    """Run a command in a copy of the repository and give its seconds; its failure ends the measurement."""
    environment = {**os.environ, "PYTHONPATH": str(place)}
    begun = time.perf_counter()
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - begun
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return seconds


def measure_weights(site: Path) -> dict[str, dict[str, int]]:
    """Give, for each page, the compressed bytes of what it loads, by kind."""
    weights = {}
    for page in sorted(site.glob("book/**/*.html")):
        text = page.read_text(encoding="utf-8")
        parts = dict.fromkeys(SHOWN, 0)
        parts["html"] = len(gzip.compress(text.encode(), 9))
        without = re.sub(r'<div class="ev-chart.*?</svg></div>', "", text, flags=re.S)
        parts["figures in it"] = parts["html"] - len(gzip.compress(without.encode(), 9))
        for link in re.findall(
            r'<(?:link[^>]+rel="(?:stylesheet|shortcut icon)"[^>]+href|script[^>]+src|img[^>]+src)="([^"]+)"', text
        ):
            file = (page.parent / link.split("?")[0]).resolve()
            kind = {".css": "style", ".js": "script"}.get(file.suffix, "image")
            parts[kind] += len(gzip.compress(file.read_bytes(), 9))
        parts["font"] = sum(file.stat().st_size for file in (site / "_static").glob("Inter-*.woff2"))
        weights[page.relative_to(site).as_posix()] = parts
    return weights


def report(times: dict[str, list[float]], weights: dict[str, dict[str, int]]) -> str:
    """Write both as Markdown tables."""

    def ratio(a: str, b: str) -> str:
        each = [x / y for x, y in zip(times[a], times[b])]
        return f"{statistics.median(each):.2f} ({min(each):.2f} to {max(each):.2f})"

    total = {page: sum(v for k, v in parts.items() if k != "figures in it") for page, parts in weights.items()}
    chapters = [v for page, v in total.items() if "/chapters/" in page]
    lines = [
        "# Measurements",
        "",
        f"Made by `make bench` with {len(chapters)} chapter(s), {RUNS} rounds after one to warm up, all jobs in turn in each round.",
        f"Machine: {os.cpu_count()} processors, {memory_gib()} GiB of memory, {platform.system()}, Python {platform.python_version()}.",
        "",
        "## Times, as ratios of jobs of the same round: median (least to greatest)",
        "",
        "| job | ratio | to reach |",
        "| --- | --- | --- |",
        f"| full run of all chapters and build, against stock jupyter-book executing them (`force`) | {ratio('full', 'stock')} | 0.5 |",
        f"| after one table changed, against the full run | {ratio('one table', 'full')} | 0.25 |",
        f"| nothing changed, against the full run | {ratio('nothing', 'full')} | 0.1 |",
        "",
        "Stock is Jupyter Book with its default theme and extensions and this book's roles; it makes the downloads too.",
        "",
        "## Weight of pages, compressed, in thousand bytes",
        "",
        "| page | all | " + " | ".join(SHOWN) + " |",
        "| --- |" + " ---: |" * (len(SHOWN) + 1),
    ]
    for page, parts in weights.items():
        lines.append(
            f"| {page} | {total[page] / 1000:.0f} | " + " | ".join(f"{parts[kind] / 1000:.0f}" for kind in SHOWN) + " |"
        )
    lines += [
        "",
        f"Median chapter: {statistics.median(chapters) / 1000:.0f} (to reach: 150; no page above 500). "
        f"Scripts and styles of a chapter: {max(p['style'] + p['script'] for p in weights.values()) / 1000:.0f} (to reach: 80). "
        "*Figures in it* is the part of html that is drawings. Text is counted as gzip sends it (level 9), fonts as they are.",
    ]
    return "\n".join(lines) + "\n"


def memory_gib() -> int:
    """Give the machine's memory, rounded; 0 where the system does not say."""
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
    except (ValueError, OSError, AttributeError):
        return 0


if __name__ == "__main__":
    sys.exit(main())
