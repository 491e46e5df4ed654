"""Vega-Lite to SVG without a browser or network: the only module that imports vl_convert."""

import re
from typing import Any

import vl_convert

CONFIG = {
    "font": "DejaVu Sans, Arial, sans-serif",
    "axis": {"labelFontSize": 12, "titleFontSize": 12},
    "view": {"stroke": None},
}


def to_svg(spec: dict[str, Any]) -> str:
    """Return the drawing as an SVG element that scales to the width of its figure."""
    svg = vl_convert.vegalite_to_svg({**spec, "config": CONFIG}, allowed_base_urls=[])
    return re.sub(
        r'(<svg[^>]*?) width="(\d+)(?:\.\d+)?" height="\d+(?:\.\d+)?"',
        r'\1 style="width:100%;max-width:\2px;min-width:min(34rem,\2px)"',
        svg,
        count=1,
    )
