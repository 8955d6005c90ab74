"""Write the part of the style sheet that comes from the palette: the dark-mode colours of the figures, steps for pages."""

from __future__ import annotations

from rareearths.publish import style


def palette_css() -> str:
    """Give CSS rules that, in dark mode, replace each colour of the drawings by its dark value.

    Drawings carry light-mode colours as attributes, which any style rule overrides; so a figure is right
    without this file, and turns dark with it. Ink becomes the colour of the text around it. What pages draw themselves
    takes the steps of :data:`style.SEQUENCE` as ``var(--ev-step-0)`` and on.
    """
    rules = []
    for colour in style.all_colours():
        dark = "currentColor" if colour == style.INK else colour.dark
        for attribute in ("fill", "stroke"):
            rules.append(f'.ev-chart [{attribute}="{colour.light}"]{{{attribute}:{dark}}}')
    rules.append(_steps("dark"))
    by_hand = "\n".join(_prefixed('body[data-theme="dark"]', rules))
    by_system = "\n".join(_prefixed('body:not([data-theme="light"])', rules))
    return (
        f"body{_steps('light')}\n"
        f"@media screen{{\n{by_hand}\n}}\n"  # paper is white, whatever the screen was
        f"@media screen and (prefers-color-scheme:dark){{\n{by_system}\n}}\n"
    )


def _prefixed(prefix: str, rules: list[str]) -> list[str]:
    return [prefix + rule if rule.startswith("{") else f"{prefix} {rule}" for rule in rules]


def _steps(mode: str) -> str:
    named = (f"--ev-step-{place}:{getattr(colour, mode)}" for place, colour in enumerate(style.SEQUENCE))
    return "{" + ";".join(named) + "}"
