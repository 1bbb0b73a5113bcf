"""Pictures for products that have none: a shape by category in the product's colour, as SVG."""

import hashlib
from typing import Any

from markupsafe import Markup

COLOURS = {
    "white": "#f4f1ea",
    "cream": "#f0e4c8",
    "ivory": "#f2ead3",
    "black": "#3a3a40",
    "grey": "#8d949c",
    "silver": "#b9c0c7",
    "gold": "#cfa645",
    "red": "#c0453c",
    "pink": "#e39bb3",
    "blue": "#5b86b8",
    "turquoise": "#5aa9a6",
    "green": "#6f9a63",
    "yellow": "#e3c04f",
    "orange": "#dc8a43",
    "purple": "#8d6cab",
    "lilac": "#b79fce",
    "brown": "#8a6547",
    "clear": "#cfe0e6",
}
PLAIN = ("#b8a48c", "#93a89b", "#a3a0b8", "#c09a86", "#8fa3b3", "#b3a77c")
GROUNDS = ("#f3efe8", "#eef2ee", "#eff0f5", "#f6eee9", "#ebf1f4")
SHAPES = {
    "Lighting": '<path d="M44 62h32l-5 24H49z"/><path d="M60 28c8 10 8 20 0 26c-8-6-8-16 0-26z"/>',
    "Kitchen": '<path d="M36 44h40v26a14 14 0 0 1-14 14H50a14 14 0 0 1-14-14z"/>'
    '<path d="M76 50h8a8 8 0 0 1 0 22h-8" fill="none" stroke-width="6" stroke="currentColor"/>',
    "Bags": '<path d="M34 52h52l4 38H30z"/>'
    '<path d="M46 52v-8a14 14 0 0 1 28 0v8" fill="none" stroke-width="5" stroke="currentColor"/>',
    "Christmas": '<path d="M60 24l22 32H70l16 24H34l16-24H38z"/><path d="M55 80h10v12H55z"/>',
    "Stationery": '<path d="M38 30h44v62H38z"/><path d="M46 44h28M46 56h28M46 68h18" fill="none" '
    'stroke="#ffffff" stroke-width="4"/>',
    "Toys": '<circle cx="60" cy="66" r="24"/><circle cx="42" cy="42" r="10"/>'
    '<circle cx="78" cy="42" r="10"/>',
    "Jewellery": '<path d="M60 36l24 20l-24 34l-24-34z"/>',
    "Garden": '<path d="M40 66h40l-6 26H46z"/><path d="M60 66c0-22 6-32 20-36c0 18-6 30-20 36z"/>'
    '<path d="M60 66c0-16-6-24-18-28c0 14 6 24 18 28z"/>',
    "Party": '<circle cx="60" cy="50" r="24"/><path d="M60 74v20" fill="none" stroke-width="3" '
    'stroke="currentColor"/>',
    "Seasonal": '<ellipse cx="60" cy="60" rx="22" ry="30"/>',
    "Home": '<path d="M60 30l32 26v36H28V56z"/>',
}
OTHER = (
    '<path d="M34 46h52v44H34z"/><path d="M60 46v44M34 60h52" fill="none" stroke="#ffffff" '
    'stroke-width="4"/>'
)


def picture(product: dict[str, Any]) -> str:
    """The picture of a product; the same product always gets the same one."""
    seed = hashlib.sha256(str(product["id"]).encode()).digest()
    colour = str(product.get("attributes", {}).get("colour", "")).casefold()
    fill = COLOURS.get(colour) or PLAIN[seed[0] % len(PLAIN)]
    ground = GROUNDS[seed[1] % len(GROUNDS)]
    path = next(iter(product.get("categories", [])), "")
    shape = next((drawn for word, drawn in SHAPES.items() if word in path), OTHER)
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 120" role="img">'
        '<rect width="120" height="120" fill="{}"/>'
        '<ellipse cx="60" cy="96" rx="34" ry="5" fill="#000000" opacity=".08"/>'
        '<g fill="{}" color="{}" stroke="#00000022" stroke-linejoin="round">{}</g></svg>'
    ).format(ground, fill, fill, Markup(shape))  # noqa: S704 - shapes stand in this file
