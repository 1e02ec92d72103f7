"""Mergers made by a known rule: a real register, a newer one drawn from it, and what became of it.

The names follow what registers of 2019 and 2023 show: a merged village keeps the name of one part
(with or without 新村), is named after the first characters of two or three parts, or gets a new
name; codes are kept, newly given, or given again to another village; names are written anew.
Nothing of it is tuned to what the matching does.
"""

import random
import re
from collections import defaultdict
from dataclasses import dataclass

import pandas as pd

from geo.boundary.name import own_name
from geo.frames import Level

NEW_NAMES = re.findall("..", "团结和谐胜利幸福永安兴隆文汇泰和久安海盛平安光明民生振兴金水凤凰")
SLIPS = dict(
    ("候侯", "阎闫", "丘邱", "付傅", "园元", "弯湾", "凡樊", "屯囤", "堌固", "王旺", "林临")
)
SLIPS |= {new: old for old, new in SLIPS.items()}
ENDINGS = ("村委会", "村村委会", "村村民委员会", "村民委员会")


@dataclass
class Merged:
    """A newer register and the truth: older code -> newer code."""

    register: pd.DataFrame
    truth: dict[str, str]


def merge_register(register, *, seed, merged_townships=0.4):
    """Return the register after a wave of mergers."""
    rng = random.Random(seed)
    rows, truth = [], {}
    recoded = rng.choice(sorted(register.code[register.level == "county"]))
    for county in register.code[register.level == "county"]:
        name = register.name[register.code == county].iloc[0]
        code = county[:4] + "99" if county == recoded else county
        truth[county] = code
        rows.append(("county", code, name.removesuffix("县") + "区" if code != county else name))
        inside = register[(register.level == "township") & register.code.str.startswith(county)]
        _townships(register, inside, code, merged_townships, rng=rng, rows=rows, truth=truth)
    frame = pd.DataFrame(rows, columns=["level", "code", "name"], dtype="str")
    return Merged(frame, truth)


def _townships(register, inside, county, merged_townships, *, rng, rows, truth):
    left = list(zip(inside.code, inside.name, strict=True))
    ending = rng.choice(ENDINGS)
    while left:
        group = [left.pop(0)]
        if left and rng.random() < 0.08:
            group.append(left.pop(0))
        code, name = group[0]
        new_code = county + code[6:]
        if len(group) > 1 or (name.endswith("乡") and rng.random() < 0.3):
            name = own_name(name, Level.TOWNSHIP).stem + "镇"
            new_code = county + f"{int(code[6:]) % 100 + 700:03d}"
        rows.append(("township", new_code, _misspelt(name, rng, 0.05)))
        villages = []
        for old_code, _ in group:
            truth[old_code] = new_code
            mine = register[(register.level == "village") & register.code.str.startswith(old_code)]
            villages += list(zip(mine.code, mine.name, strict=True))
        share = 1.0 if rng.random() < merged_townships else 0.0
        keeps = len(group) == 1
        _villages(villages, new_code, share, ending, rng=rng, rows=rows, truth=truth, keeps=keeps)


def _villages(villages, township, share, ending, *, rng, rows, truth, keeps):
    """Merge the villages of a township in groups of neighbours in the register."""
    used, tails, names = set(), {code[-3:] for code, _ in villages}, set()
    fresh = iter(range(600, 999))
    gone = defaultdict(list)
    while villages:
        size = rng.choice((1, 2, 2, 3, 3, 4, 5)) if rng.random() < share else 1
        group, villages = villages[:size], villages[size:]
        stem = _stem(group, rng, names)
        tail = group[0][0][-3:] if keeps else ""
        if (len(group) > 1 and rng.random() < 0.5) or tail in used or not tail:
            tail = f"{next(fresh)}"
            if gone and rng.random() < 0.1:
                tail = rng.choice(sorted(gone))
                del gone[tail]
        used.add(tail)
        names.add(stem)
        is_urban = "居" in group[0][1]
        name = stem + ("社区居委会" if is_urban else ending)
        rows.append(("village", township + tail, _misspelt(name, rng, 0.01)))
        for code, _ in group:
            truth[code] = township + tail
            if keeps and code[-3:] in tails and code[-3:] not in used:
                gone[code[-3:]].append(code)


def _stem(group, rng, names):
    stems = [own_name(name, Level.VILLAGE).stem for _, name in group]
    if len(group) == 1:
        return stems[0]
    how = rng.random()
    if how < 0.45:
        return rng.choice(stems) + ("新村" if rng.random() < 0.3 else "")
    if how < 0.65:
        return "".join(stem[0] for stem in rng.sample(stems, min(len(stems), 3))) + "新村"
    free = [name for name in NEW_NAMES if name + "新村" not in names]
    return rng.choice(free or NEW_NAMES) + "新村"


def _misspelt(name, rng, share):
    places = [k for k, character in enumerate(name[:3]) if character in SLIPS]
    if not places or rng.random() >= share * 10:
        return name
    k = rng.choice(places)
    return name[:k] + SLIPS[name[k]] + name[k + 1 :]
