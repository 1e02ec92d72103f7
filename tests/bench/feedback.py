"""Bench: does patrolling where reports come from send patrols back for ever?

    python tests/bench/feedback.py --nights 365 --towns 2 --json out.jsonl

Drives the shipped demand, choice of places and night planner over a year of nights on small made-up
towns (`tests/feedback_town.py` says how). Value is the deviation of the allocation from that of
the planner told the truth; `gap` its ratio to the noise floor less 1. Guard on must stay within
1.5 times the floor, guard off must not: exit status 1 otherwise.
"""

import argparse
import runpy
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from report import Line, append_json, peak_mib

TOWN = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[1] / "feedback_town.py")))
LIMIT = 1.5


def judged(town_seed: int, args: argparse.Namespace) -> list[Line]:
    """Patrol one town with nobody listening, with the guard on and with it off."""
    town = TOWN.Town(town_seed)
    case = f"town {town_seed}, {args.nights} nights"

    def run(seed: int, guard: object, *, influence: bool) -> np.ndarray:
        return TOWN.patrolled(town, args.nights, seed=seed, guard=guard, influence=influence)

    truth = run(0, None, influence=False)
    floor = float(
        np.mean(
            [
                TOWN.deviation(run(1 + k, TOWN.GUARD_ON, influence=False), truth)
                for k in range(args.floors)
            ]
        )
    )
    lines = []
    for name, guard in (("guard on", TOWN.GUARD_ON), ("guard off", TOWN.GUARD_OFF)):
        begun = time.process_time()
        found = [
            TOWN.deviation(run(101 + k, guard, influence=True), truth) for k in range(args.draws)
        ]
        lines.append(
            Line(
                subject="feedback",
                case=case,
                engine=name,
                value=float(np.mean(found)),
                gap=float(np.mean(found)) / floor - 1,
                cpu_s=time.process_time() - begun,
                peak_rss_mb=peak_mib(),
                n=args.nights,
            )
        )
        print(
            f"{case:24} {name:10} deviation {lines[-1].value:.3f}  floor {floor:.3f}"
            f"  ratio {1 + lines[-1].gap:5.2f}  single draws "
            + " ".join(f"{one / floor:.2f}" for one in found)
            + f"  {lines[-1].cpu_s:.1f} cpu s",
            flush=True,
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nights", type=int, default=365)
    parser.add_argument("--towns", type=int, default=2)
    parser.add_argument("--draws", type=int, default=2, help="draws of what happens, per guard")
    parser.add_argument("--floors", type=int, default=3, help="draws behind the noise floor")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    lines = [line for seed in range(1, args.towns + 1) for line in judged(seed, args)]
    append_json(args.json, lines)
    holds = all((1 + line.gap <= LIMIT) == (line.engine == "guard on") for line in lines)
    sys.exit(0 if holds else 1)


if __name__ == "__main__":
    main()
