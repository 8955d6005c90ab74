"""Publish a statement: a sentence in words that a test on the data keeps true."""

from __future__ import annotations

from rareearths.publish import bundle


def statement(id: str, sentence: str, holds: bool, *, sources, test: str) -> None:
    """Store one sentence for prose to quote with ``{st}`id```, and whether the data bear it out.

    Args:
        id: permanent name, e.g. ``china-share-turned``.
        sentence: the sentence as it stands in the text.
        holds: the outcome of a test on the data, computed in the chapter.
        sources: the rows that the test looked at, or ids of sources.
        test: the test in words, e.g. ``share in 2022 above share in 2021``.

    Raises:
        PublishError: ``holds`` is not true or false, or words are missing.
    """
    bundle.check_id(id)
    if holds not in (True, False):
        raise bundle.PublishError(f"{id}: holds is {holds!r}; a test on the data has to give true or false")
    if not sentence.strip() or not test.strip():
        raise bundle.PublishError(f"{id}: the sentence and the test in words are both needed")
    payload = {
        "id": id,
        "sentence": sentence.strip(),
        "holds": bool(holds),
        "test": test.strip(),
        "sources": bundle.provenance(sources, of=id),
    }
    bundle.show("statement", payload, f"{id}: {'holds' if holds else 'NO LONGER HOLDS'}. {sentence}")
