"""`./run bench generate`: a synthetic shop on disk, or its products and events as NDJSON."""

import argparse
import sys
import time
from pathlib import Path

import msgspec

from endcap.core.times import format_time
from measure.report import OUT
from synthetic.archive import visitor_id
from synthetic.catalogue import CURRENCY, make_catalogue, product_id, products
from synthetic.events import PURCHASE, TYPES, make_events, make_plan
from synthetic.shop import ShopSize, make_shop


def main() -> None:
    options = options_of()
    until = options.until or time.time_ns() // 1_000_000
    if options.ndjson:
        write_ndjson(options, until)
        return
    size = ShopSize(options.products, options.events, options.logged, options.seed)
    folder = options.out or OUT / "shops" / size.name
    began = time.monotonic()
    about = make_shop(size, folder, until, lambda text: print(f"  {text}", file=sys.stderr))
    print(f"{folder}: {about} in {time.monotonic() - began:.1f} s")


def write_ndjson(options: argparse.Namespace, until: int) -> None:
    """`products.ndjson` and `events.ndjson`, ready for `endcap import`."""
    folder = options.out or Path()
    folder.mkdir(parents=True, exist_ok=True)
    catalogue = make_catalogue(options.products, options.seed)
    with (folder / "products.ndjson").open("wb") as stream:
        for product in products(catalogue):
            stream.write(msgspec.json.encode(product) + b"\n")
    with (folder / "events.ndjson").open("wb") as stream:
        for lines in make_events(catalogue, make_plan(options.events, until, options.seed)):
            for event in _sent(lines, catalogue):
                stream.write(msgspec.json.encode(event) + b"\n")


def _sent(lines, catalogue):
    """Events as a shop sends them."""
    event = None
    columns = (column.tolist() for column in lines)
    for number, kind, visitor, session, product, quantity, moment in zip(*columns, strict=True):
        if event is None or event["event_id"] != f"e{number + 1}":
            if event is not None:
                yield event
            event = {
                "event_id": f"e{number + 1}",
                "type": TYPES[kind],
                "visitor": visitor_id(visitor),
                "session": f"s{session}",
                "time": format_time(moment),
            }
            if kind != PURCHASE:
                event["product"] = product_id(product)
                continue
            event |= {"order": f"o{number + 1}", "currency": CURRENCY, "products": []}
        price = f"{catalogue.price_minor[product] / 100:.2f}"
        event["products"].append({"id": product_id(product), "quantity": quantity, "price": price})
    if event is not None:
        yield event


def options_of(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run bench generate", description=__doc__)
    parser.add_argument("--products", type=int, default=10_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--logged", type=int, default=1_000_000, help="newest events in the log")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--until", type=int, help="UTC milliseconds of the last event; now")
    parser.add_argument("--out", type=Path, help="folder; bench/out/shops/…")
    parser.add_argument("--ndjson", action="store_true", help="files for `endcap import` instead")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
