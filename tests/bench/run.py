"""Run every bench on the sample, and on real inputs beside the repo where there are any.

Writes ``docs/benchmarks.md``: date, machine, versions and what each script printed. Figures are
CPU seconds; read ratios, not absolute times, on a shared machine.
"""

import argparse
import platform
import subprocess
import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"
ROADS = SHARED / "net" / "jinan.graphml"
VERSIONS = ("numpy", "numba", "scipy", "shapely", "geopandas", "ortools", "networkx")


def runs(scale: str) -> list[list[str]]:
    """Return script and arguments of every bench that this machine has the inputs for."""
    on_roads = ["--network", str(ROADS)] if ROADS.exists() else []
    return [
        ["sample.py", "--scale", scale, *on_roads],
        ["crs.py"],
        ["formats.py", "--scale", scale],
        ["osm.py"],
        ["boundary.py"],
        ["topology.py", "--scale", scale],
        ["grid.py", "--scale", scale, "--prove", "20", "--seconds", "10"],
        *([["grid.py", "--scale", scale, "--vintage", "2019"]] if scale == "city" else []),
        ["partition.py", "--peers", "open,metis,gerrychain,skater,azp,maxp", *on_roads],
        ["groups.py", "--scale", scale],
        ["join.py", "--scale", scale],
        ["place.py", "--scale", scale],
        ["register.py"],
        ["hotspot.py"],
        ["demand.py", "--scale", scale],
        ["travel.py", "--network", "grid", f"sample:{scale}", *on_roads[1:]],
        ["closure.py", "--scale", scale],
        ["isochrone.py", "--peers", "scipy,buffer", *on_roads],
        ["sweep.py", "--peers", "eulerize,matching", *on_roads],
        ["sweep.py", "--streets", "400", "--teams", "3,5,8", *on_roads],
        ["night.py"],
        ["map.py", "--scale", scale],
    ]


def main() -> None:
    """Run the benches and write their page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", choices=("district", "city"), default="district")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks.md")
    options = parser.parse_args()
    parts = [
        "# Benchmarks",
        f"{date.today():%Y-%m-%d}, {platform.machine()}, CPython {platform.python_version()}, "  # noqa: DTZ011
        + ", ".join(f"{name} {version(name)}" for name in VERSIONS)
        + ". Written by `make bench`.",
    ]
    for script, *arguments in runs(options.scale):
        done = subprocess.run(
            [sys.executable, Path(__file__).with_name(script), *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        shown = " ".join([script, *(Path(a).name if "/" in a else a for a in arguments)])
        said = done.stdout.rstrip() or done.stderr.rstrip()[-600:]
        parts.append(f"## {shown}\n\n```\n{said}\n```")
        sys.stderr.write(f"{shown}: exit {done.returncode}\n")
    options.out.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
