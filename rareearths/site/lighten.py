"""Keep out of the pages what they do not use, and mend two roles that screen readers would trip over."""

from __future__ import annotations

import os
import re

from sphinx.application import Sphinx

from rareearths.data import DATA_VARIABLE

SCRIPTS = ("furo.js", "book.js")
SEARCH_SCRIPTS = (
    "documentation_options.js",
    "doctools.js",
    "sphinx_highlight.js",
    "searchtools.js",
    "language_data.js",
    "searchindex.js",
)
_PLAIN_TOKEN = re.compile(r'<span class="(?:n|p|w|o|mi|mf|si|nb|ow|sa)">([^<]*)</span>')
"""Names, punctuation, space, operators and figures of highlighted code, which are set like the text around them."""

OWN_DATA = (
    '<p class="ev-own" role="note"><strong>Not the data of this report.</strong> This copy was built on tables of its '
    "reader's own; do not cite it as the report.</p>"
)
"""What stands on top of each page of a site that was built on another folder of data."""

STYLES = ("pygments.css", "furo.css", "furo-extensions.css", "book.css", "palette.css")


def keep_what_is_used(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Drop every script and style sheet that is not on the lists above."""
    scripts = SCRIPTS + (SEARCH_SCRIPTS if pagename == "search" else ())
    context["script_files"] = [file for file in context["script_files"] if _listed(file, scripts)]
    context["css_files"] = [file for file in context["css_files"] if _listed(file, STYLES)]
    for part in ("body", "furo_navigation_tree"):
        if context.get(part):
            context[part] = _PLAIN_TOKEN.sub(r"\1", _mend_roles(context[part]))
    if os.environ.get(DATA_VARIABLE) and context.get("body"):
        context["body"] = OWN_DATA + context["body"]


def _mend_roles(html: str) -> str:
    """Take out a heading without a level (Sphinx, captions of parts) and a role now deprecated (docutils, references)."""
    return html.replace('class="caption" role="heading"', 'class="caption"').replace(
        'role="doc-biblioentry"', 'role="listitem"'
    )


def _listed(file, names: tuple[str, ...]) -> bool:
    path = str(getattr(file, "filename", file) or "").split("?")[0]
    return any(name in path.rsplit("/", 1)[-1] for name in names)
