"""Where the official files are, and how to get them: address, checksum, cache.

A file whose direct address is not known to this project has ``url`` None: its landing page is given, and
the reader downloads it there. No address is guessed. A file that is in the cache with the right checksum
is not fetched again; a download that fails leaves nothing behind.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pooch
import requests

from rareearths.upstream import UpstreamError

CACHE_NAME = "rareearths"
"""The folder in the user's cache directory (``pooch.os_cache``)."""

HINT = "Download it in a browser and give it as a local file: make update FROM=path"


@dataclass(frozen=True)
class UpstreamFile:
    """One official file: its source, name, address or landing page, and SHA-256 where a copy was read."""

    source_id: str
    file_name: str
    landing_page: str
    url: str | None = None
    sha256: str | None = None


_MCS_2022 = ("usgs_mcs2022_csv", "https://doi.org/10.5066/P9KKMCP4")
_MCS_2023 = ("usgs_mcs2023_csv", "https://doi.org/10.5066/P9WCYUI6")
_MCS_2024 = ("usgs_mcs2024_csv", "https://doi.org/10.5066/P144BA54")
_MCS_2025 = ("usgs_mcs2025_csv", "https://doi.org/10.5066/P13XCP3R")
_MCS_2026 = ("usgs_mcs2026_csv", "https://doi.org/10.5066/P1WKQ63T")


def _file(source: tuple[str, str], file_name: str, sha256: str, url: str | None = None) -> UpstreamFile:
    return UpstreamFile(source[0], file_name, source[1], url, sha256)


FILES = [
    _file(_MCS_2022, "mcs2022-raree_world.csv", "086aeaab615b8dec0ae35796d562653f1e7146921d2c7badfe69f983652e1c63"),
    _file(_MCS_2022, "mcs2022-raree_salient.csv", "5c13da4e49b0aba2878797121fb3d185262d8f79b74992817a7fdbcea806fcbf"),
    _file(_MCS_2023, "mcs2023-raree_world.csv", "a59a9d9ffcc9919f28ab0117bfc9cdd21ac2c43f1892d97a000fcd83cefc1230"),
    _file(_MCS_2023, "mcs2023-raree_salient.csv", "83249fc464eed00aee4fa8ccb14c1bc843541eefbe77d5edf2c967faddb8e63a"),
    _file(_MCS_2023, "mcs2023-yttri_salient.csv", "539bbd890d62e3de06847701fdbdd5940031ff40658a90a2bf40d3108c0eb194"),
    _file(_MCS_2023, "mcs2023-scandi_salient.csv", "5db716a686faad6cd091a0bff1e4881aa8ca45663f994b9e9176e10619ff8153"),
    _file(_MCS_2024, "mcs2024-raree_world.csv", "fa89237afc855b28f609815a872fdba79eb0404b7cdb2f2df6e110fa425d596b"),
    _file(_MCS_2024, "mcs2024-raree_salient.csv", "18b263b750e4edb337004c03f3e2dcb88188a66098ea3625c1a786e82c70fe31"),
    _file(_MCS_2024, "mcs2024-yttri_salient.csv", "6c83f0f025338a926ffb11963cc208cd7c270649e8c81e158469bab428c70fdc"),
    _file(_MCS_2024, "mcs2024-scand_salient.csv", "f6b711b908085670bcb2a6199c1c9f6061970a744440e53313d69b63bf4af1fc"),
    _file(_MCS_2025, "MCS2025_World_Data.csv", "246709ab62b969d3280e28fdbbb99bb68280a9b8f9204405b601f7acc39dc092"),
    _file(
        _MCS_2026, "MCS2026_Commodities_Data.csv", "582a0aa231aea53d8a97dc8d1cd3dfa5f885cf3760353e3d029d7f0ae4fbaaf5"
    ),
    UpstreamFile(
        "world_atlas_2_0_2",
        "countries-110m.json",
        "https://github.com/topojson/world-atlas",
        sha256="2516c915867c7baf18ddec727aec46c315541a07cfb3d79a6559b05d5e94eee8",
    ),
]
"""Checksums are of the copies that this project read; a later correction by the publisher changes them."""


def cache() -> Path:
    """Give the folder that downloads are kept in."""
    return Path(pooch.os_cache(CACHE_NAME))


def fetch(file: UpstreamFile, folder: str | Path | None = None) -> Path:
    """Download one file, with a progress bar, or take it from the cache.

    Args:
        file: an entry of :data:`FILES`.
        folder: where to keep it, if not in :func:`cache`.

    Returns:
        The path of the file, whose checksum has been compared if one is known.

    Raises:
        UpstreamError: no direct address is known, the download failed, or the checksum is another one.
    """
    if file.url is None:
        raise UpstreamError(
            f"{file.file_name}: no direct address is known; it is offered at {file.landing_page}. {HINT}"
        )
    known = f"sha256:{file.sha256}" if file.sha256 else None
    try:
        kept = pooch.retrieve(file.url, known, fname=file.file_name, path=folder or cache(), progressbar=True)
    except (requests.exceptions.RequestException, OSError) as error:
        raise UpstreamError(f"{file.url} could not be fetched ({_reason(error)}). {HINT}") from None
    except ValueError:
        raise UpstreamError(
            f"{file.url}: the content is not what it was (another SHA-256 than recorded). If the publisher has "
            f"corrected the file, look at it, then give it as a local file: make update FROM=path"
        ) from None
    return Path(kept)


def _reason(error: Exception) -> str:
    response = getattr(error, "response", None)
    if response is not None:
        return f"HTTP {response.status_code}"
    if isinstance(error, requests.exceptions.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.ConnectionError):
        return "no connection"
    return type(error).__name__
