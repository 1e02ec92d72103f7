"""Bench of the writers and readers: time, memory and size of each format at city size.

    python tests/bench/formats.py --scale city --vintage 2019 --layers venues,boundaries

Every file is read back with our reader and compared with what was written, value by value.
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import geopandas as gpd
import pandas as pd
import shapely

from geo.errors import OptionInvalid
from geo.io.convert import LAYERS
from geo.io.export import SUFFIXES, write_file
from geo.sample import make_city
from geo.sample.register import EDITIONS, NEWEST


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", choices=("district", "city"), default="district")
    parser.add_argument("--vintage", choices=tuple(EDITIONS), default=NEWEST)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--layers", default="venues,boundaries,streets")
    parser.add_argument("--epsg", type=int, default=4326)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    made = make_city(
        scale=options.scale,
        seed=options.seed,
        data_date=date(2026, 11, 20),
        vintage=options.vintage,
    ).layers
    print(
        "| layer | format | rows | MB | write s | read s | equal |\n|---|---|---|---|---|---|---|"
    )
    is_fine = True
    with tempfile.TemporaryDirectory() as folder:
        for layer in options.layers.split(","):
            for row in layer_rows(layer, getattr(made, layer), Path(folder), options.epsg):
                print(
                    f"| {layer} | {row['engine']} | {row['n']:,} | {row['mb']} "
                    f"| {row['write_s']} | {row['read_s']} | {'yes' if row['ok'] else '**no**'} |"
                )
                is_fine &= bool(row["ok"])
                if options.json:
                    with options.json.open("a", encoding="utf-8") as handle:
                        handle.write(json.dumps(row) + "\n")
    sys.exit(0 if is_fine else 1)


def layer_rows(layer: str, frame: gpd.GeoDataFrame, folder: Path, epsg: int) -> Iterator[dict]:
    """Yield one row per format that can hold the layer."""
    read, _ = LAYERS[layer]
    for suffix in SUFFIXES:
        path = folder / f"{layer}{suffix}"
        began = time.process_time()
        try:
            files = write_file(frame, path, layer=layer, epsg=epsg)
        except OptionInvalid:
            continue
        write_s, began = time.process_time() - began, time.process_time()
        again = read(path).frame
        read_s = time.process_time() - began
        yield {
            "subject": "formats",
            "case": f"{layer}, EPSG:{epsg}",
            "engine": suffix,
            "value": round(write_s + read_s, 2),
            "cpu_s": round(write_s + read_s, 2),
            "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            "n": len(frame),
            "mb": round(sum(file.stat().st_size for file in files) / 1e6, 1),
            "write_s": round(write_s, 2),
            "read_s": round(read_s, 2),
            "ok": is_equal(again, frame),
        }


def is_equal(again: pd.DataFrame, frame: pd.DataFrame) -> bool:
    """Tell whether two frames hold the same values and shapes, row by row."""
    if len(again) != len(frame):
        return False
    for name in frame.columns:
        if name == "geometry":
            one, other = (shapely.normalize(f.geometry.to_numpy()) for f in (again, frame))
            if not (one == other).all():
                return False
        elif not again[name].equals(frame[name]):
            return False
    return True


if __name__ == "__main__":
    main()
