"""Bench of matching two registers: how often it is right where the truth is known.

    python tests/bench/boundary.py --old data/boundaries/register_371500_2019.csv \
        --new data/boundaries/register_371500_2023.csv --seeds 20

The older register is merged by a known rule (``tests/merged_register.py``), matched, and judged
unit by unit: precision of what was resolved, by evidence; recall among all units. The two real
registers have no truth; for links that rest on names alone the bench counts how many the same rule
finds between townships that have nothing to do with each other (of one county, drawn at random).
"""

import argparse
import json
import random
import resource
import runpy
import time
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path

from geo.boundary.evidence import CONFIDENCE, Siblings, link_family
from geo.boundary.listing import listing_of
from geo.boundary.succession import count_relations, match_versions
from geo.frames import Evidence, Level
from geo.io import read_register
from geo.sample import make_city
from geo.units import LIAOCHENG_EPSG

HERE = Path(__file__).resolve().parent
merge_register = runpy.run_path(str(HERE.with_name("merged_register.py")))["merge_register"]


def judge(register, seeds):
    """Return counts by evidence: resolved, right; by relation; and units in all, CPU seconds."""
    resolved, right, n_all, cpu = Counter(), Counter(), 0, 0.0
    for seed in range(seeds):
        made = merge_register(register, seed=seed)
        begun = time.process_time()
        found = match_versions(register, made.register)
        cpu += time.process_time() - begun
        n_all += len(found)
        n_into = Counter(made.truth.values())
        offered = found.new_code.where(found.new_code != "", found.offered_code)
        for row, new in zip(found.itertuples(), offered, strict=True):
            true = made.truth[row.old_code]
            resolved[row.evidence] += new != ""
            right[row.evidence] += new == true
            if row.new_code:
                resolved[f"relation {row.relation}"] += 1
                right[f"relation {row.relation}"] += (row.relation == "merged") == (
                    n_into[true] > 1
                )
    return resolved, right, n_all, cpu / seeds


def chance(old, new, *, repeats, seed):
    """Return links by evidence between townships of one county that are strangers, and in truth.

    Only units that code and name together do not settle take part, as in the matching itself.
    """
    before, after = listing_of(old), listing_of(new)
    succession = match_versions(old, new)
    settled = succession[succession.evidence == Evidence.CODE_NAME.value]
    done, taken = set(settled.old_code), set(settled.new_code)
    went = dict(zip(succession.old_code, succession.new_code, strict=True))
    goals = defaultdict(list)
    for row in range(len(after)):
        if after.levels[row] is Level.TOWNSHIP:
            goals[after.above[row]].append(row)
    counts, rng = Counter(), random.Random(seed)
    homes = [row for row in range(len(before)) if before.levels[row] is Level.TOWNSHIP]
    for row in homes * repeats:
        own = went[before.codes[row]]
        goal = rng.choice([k for k in goals[before.above[row]] if after.codes[k] != own])
        left = [k for k in before.children.get(row, ()) if before.codes[k] not in done]
        free = [k for k in after.children.get(goal, ()) if after.codes[k] not in taken]
        family = Siblings(before, after, left, free)
        link_family(family)
        counts.update(link.evidence.value for link in family.found.values())
    true = Counter(succession.evidence[succession.level == Level.VILLAGE.value])
    return {evidence: n / repeats for evidence, n in counts.items()}, true


def areas(seed):
    """Return units, resolved and right by the sample city's truth, and CPU seconds."""
    made = {
        vintage: make_city(scale="city", seed=seed, data_date=date(2026, 11, 20), vintage=vintage)
        for vintage in ("2019", "2023")
    }
    old, new = (made[vintage].layers.boundaries for vintage in ("2019", "2023"))
    begun = time.process_time()
    found = match_versions(old, new, epsg=LIAOCHENG_EPSG)
    cpu = time.process_time() - begun
    truth = made["2019"].became
    judged = found[found.old_code.isin(list(truth))]
    right = int((judged.new_code == judged.old_code.map(truth)).sum())
    return len(judged), int((judged.new_code != "").sum()), right, cpu


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--old", type=Path, required=True)
    parser.add_argument("--new", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--areas", action="store_true", help="also by area, on the sample city")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    old, new = read_register(options.old), read_register(options.new)
    resolved, right, n_all, cpu = judge(old, options.seeds)
    sure = {e.value for e in Evidence if CONFIDENCE.get(e, 0) >= 0.8}
    n = sum(v for k, v in resolved.items() if k in sure)
    good = sum(v for k, v in right.items() if k in sure)
    lines = [("precision of resolved", good / n, n), ("recall", good / n_all, n_all)]
    print("| merged by rule | share | n |\n|---|---|---|")
    lines += [(f"  {k}", right[k] / resolved[k], resolved[k]) for k in sorted(+resolved)]
    for name, share, count in lines:
        print(f"| {name} | {share:.4f} | {count} |")
    by_chance, true = chance(old, new, repeats=options.repeats, seed=1)
    print("\n| real registers, by name | found | among strangers |\n|---|---|---|")
    for evidence in ("name", "like_name", "compound"):
        print(f"| {evidence} | {true[evidence]} | {by_chance.get(evidence, 0):.1f} |")
    print("\n" + count_relations(match_versions(old, new)).to_string(index=False))
    if options.areas:
        n, n_resolved, n_right, seconds = areas(seed=1)
        print(f"\nby area: {n_right}/{n_resolved} right, {n} units, {seconds:.2f} CPU s")
        lines.append(("by area", n_right / max(n_resolved, 1), n))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\n{cpu:.2f} CPU s per match, peak {peak:.0f} MiB")
    if options.json:
        with options.json.open("a", encoding="utf-8") as file:
            for name, share, count in lines:
                row = {
                    "subject": "boundary", "case": name.strip(), "engine": "patrolgrid",
                    "value": share, "gap": 1 - share, "cpu_s": cpu, "peak_rss_mb": peak, "n": count,
                }  # fmt: skip
                file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
