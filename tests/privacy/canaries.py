"""A small shop with canaries in it, and the search for them in every byte of its files."""

import base64

PRODUCTS = ("mug", "plate", "lamp", "rug", "clock", "vase")


def stock(door):
    for product in PRODUCTS:
        door.put_product(product, title=product, categories=["Home"], price="9.90", stock=9)


def history(visitor, n, product=None):
    """What a visitor does: views, a search, a purchase, something refused."""
    mine = product or PRODUCTS[n % 6]
    other = PRODUCTS[(n + 1) % 6]
    at = f"2026-06-0{1 + n % 8}T10:00:00Z"
    common = {"visitor": visitor, "session": f"session-of-{visitor}", "time": at}
    return [
        {"event_id": f"{visitor}-view", "type": "view", "product": mine, **common},
        {"event_id": f"{visitor}-s", "type": "search", "query": f"query-of-{visitor}", **common},
        {
            "event_id": f"{visitor}-buy",
            "type": "purchase",
            "order": f"order-of-{visitor}",
            "products": [
                {"id": mine, "quantity": 1, "price": "9.90"},
                {"id": other, "quantity": 2, "price": "9.90"},
            ],
            **common,
        },
        {"event_id": f"{visitor}-bad", "type": "rate", "product": mine, "rating": 9, **common},
    ]


def needles(door, visitors):
    """Everything that would give a visitor away: ids, texts, and pseudonyms."""
    pseudonyms = door.installation.recommender._pseudonyms
    found = []
    for visitor in visitors:
        found += [visitor, base64.b64encode(visitor.encode()).decode().rstrip("=")]
        found += [pseudonyms.visitor("default", visitor)]
        found += [pseudonyms.session("default", f"session-of-{visitor}")]
    return [needle.encode() for needle in found]


def scan(folder, needles):
    """Which needle is in which file, byte by byte; also in UTF-16."""
    hits, files = [], 0
    for file in sorted(folder.rglob("*")):
        if not file.is_file():
            continue
        files += 1
        content = file.read_bytes()
        name = file.relative_to(folder).as_posix()
        texts = [(needle, needle.decode()) for needle in needles]
        hits += [
            (name, text)
            for needle, text in texts
            if needle in content or text.encode("utf-16-le") in content
        ]
    return hits, files


def aggregates(door):
    """What the newest snapshot counts, array by array, and what the shop shows."""
    installation = door.installation
    snapshot = installation.live.state("default").joined.snapshot
    arrays = {}
    folder = installation.erasing.erasures._places[4]._snapshots.latest("default")
    for file in sorted(folder.glob("*")):
        if file.suffix != ".json":
            arrays[file.name] = file.read_bytes()
    counts = snapshot.manifest.counts
    shown = {p: door.shown(p) for p in ("popular", "home")}
    related = {one: door.shown("also_bought", seed=one) for one in PRODUCTS}
    return arrays, counts, shown, related
