"""A register with known holes, and the map's points of interest with everyday slips in them.

Names are made up: two or three of the characters that shop signs like, a word of the trade, here
and there a place before or a branch behind; some are of a chain and so occur again and again. No
list of real shops went into it. `style="sample"` keeps the sample's own names (样例商店 00123),
`style="hard"` makes names far more alike than signs are.
"""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

SIGNS = list(
    "福鑫源隆兴盛旺顺达金银宝华丰泰和安康乐家美佳好新天地海龙凤祥瑞德诚信义友谊春夏秋冬梅兰竹菊东西南北中"
    "阳光星月云山水林园庭轩阁楼坊老大小王李张刘陈杨赵周吴徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾红绿蓝紫"
    "百千万亿一二三四五六七八九十优品味香甜辣酸鲜麦禾谷豆米花果木火土石玉珠晶芳雅静思远志宏伟成功胜利民生惠众聚"
)
TRADE = {
    "school": ("幼儿园", "小学", "培训学校", "托管中心"),
    "clinic": ("诊所", "卫生室", "口腔门诊", "中医馆门诊部"),
    "shop": (
        "超市",
        "便利店",
        "商店",
        "百货",
        "烟酒店",
        "五金店",
        "服装店",
        "水果店",
        "药店",
        "手机店",
    ),
    "food": (
        "饭店",
        "面馆",
        "小吃",
        "火锅店",
        "羊汤馆",
        "烧烤",
        "早餐店",
        "麻辣烫",
        "餐馆",
        "包子铺",
    ),
    "hotel": ("宾馆", "旅馆", "快捷酒店", "招待所"),
    "entertainment": ("歌厅", "KTV", "棋牌室", "游艺厅"),
    "net_cafe": ("网吧", "网咖"),
    "beauty_bath": ("理发店", "美容院", "足浴", "美发沙龙", "洗浴中心"),
    "workshop": ("加工厂", "机械厂", "食品厂", "木器厂", "印刷厂"),
}
PLACES = ("聊城市", "聊城", "东昌府区", "城东", "老街", "")
COMPANY = ("", "", "", "", "", "", "有限公司", "个体工商户")


def signed_names(kinds, rng, *, is_hard=False):
    """Names as on signs: a heavy tail of favourite characters, 6 % of chains.

    Hard: thirty characters make every name, two of them each, and every sixth is of a chain.
    """
    signs, longest, share = (SIGNS[:30], 3, 0.16) if is_hard else (SIGNS, 4, 0.06)
    liking = 1 / np.arange(1, len(signs) + 1) ** 0.6
    liking /= liking.sum()
    chains = ["".join(rng.choice(signs, 2, p=liking)) for _ in range(40)]
    names = []
    for kind in kinds:
        core = "".join(rng.choice(signs, rng.integers(2, longest), p=liking))
        if rng.random() < share:
            core = chains[rng.integers(len(chains))]
        trade = TRADE[kind][rng.integers(len(TRADE[kind]))]
        place = PLACES[rng.integers(len(PLACES))] if rng.random() < 0.25 else ""
        names.append(place + core + trade + COMPANY[rng.integers(len(COMPANY))])
    return names


def misspelt(name, rng):
    """One everyday slip: a wrong, lost, doubled or swapped character, a short or a long form."""
    letters = [k for k, ch in enumerate(name) if not ch.isdigit() and ch != " "]
    k = letters[rng.integers(len(letters))]
    slip = rng.integers(6)
    if slip == 0:
        return name[:k] + SIGNS[rng.integers(len(SIGNS))] + name[k + 1 :]
    if slip == 1:
        return name[:k] + name[k + 1 :] if len(name) > 3 else name
    if slip == 2:
        return name[:k] + name[k] + name[k:]
    if slip == 3 and k + 1 < len(name):
        return name[:k] + name[k + 1] + name[k] + name[k + 2 :]
    if slip == 4:
        return name.removesuffix("有限公司").removesuffix("个体工商户").removeprefix("聊城市")
    return f"{name}({SIGNS[rng.integers(len(SIGNS))]}华路店)"


def plant(venues, *, epsg, rng, n=2000, gap_share=0.25, style="signs", is_full=False, noise=8.0):
    """Return points of interest, the register without some of them, and the truth.

    A quarter each of the cases is plain, misspelt, moved by 30 m, or of shared coordinates: some
    twenty neighbours at one point, in the map and in the register. Gaps are spread over all four.
    Maps are off by `noise` metres at every point anyway. `is_full` gives the map every other
    venue of the city too, else it knows the cases alone.

    Returns
    -------
    pois, register : GeoDataFrame
    truth : DataFrame
        poi_id, case, is_gap, venue_id of the record it was made from.
    """
    venues = venues.reset_index(drop=True)
    names = venues["name"].tolist()
    if style != "sample":
        names = signed_names(venues["kind"], rng, is_hard=style == "hard")
    xy = shapely.get_coordinates(venues.geometry.to_crs(epsg).to_numpy())
    chosen = rng.choice(len(venues), n, replace=False)
    case = np.array(["plain", "misspelt", "moved", "shared"], dtype=object)[np.arange(n) % 4]
    is_gap = rng.permutation(np.arange(n) < gap_share * n)
    tree = shapely.STRtree(shapely.points(xy))
    n_clustered, clustered = 0, np.zeros(len(venues), dtype=bool)
    for row in rng.permutation(len(venues)):
        near = tree.query(shapely.Point(xy[row]), predicate="dwithin", distance=80.0)
        near = near[~clustered[near]][:20]
        if len(near) > 4:
            xy[near], clustered[near] = xy[row], True
            n_clustered += len(near)
        if n_clustered > n // 2:
            break
    in_cluster = pd.DataFrame(xy).duplicated(keep=False).to_numpy()
    spare = rng.permutation(np.setdiff1d(np.flatnonzero(in_cluster), chosen))
    swap = np.flatnonzero((case == "shared") & ~in_cluster[chosen])[: len(spare)]
    chosen[swap] = spare[: len(swap)]
    case[(case == "shared") & ~in_cluster[chosen]] = "plain"
    others = np.setdiff1d(np.arange(len(venues)), chosen) if is_full else np.empty(0, int)
    rows = np.concatenate([chosen, others])
    kinds = np.concatenate([case, np.full(len(others), "other", dtype=object)])
    at = xy[rows] + rng.normal(0, noise, (len(rows), 2)) * (kinds != "shared")[:, None]
    angle = rng.uniform(0, 2 * np.pi, len(rows))
    at += 30 * np.c_[np.cos(angle), np.sin(angle)] * (kinds == "moved")[:, None]
    said = [
        misspelt(names[r], rng) if k == "misspelt" else names[r]
        for r, k in zip(rows, kinds, strict=True)
    ]
    points = gpd.GeoSeries(shapely.points(at), crs=epsg).to_crs(4326)
    ids = pd.Series([f"q{k:06d}" for k in range(len(rows))], dtype="str")
    pois = gpd.GeoDataFrame(
        {
            "poi_id": ids,
            "name": pd.Series(said, dtype="str"),
            "kind": venues["kind"].to_numpy()[rows],
            "source": pd.Series(["synthetic"] * len(rows), dtype="str"),
        },
        geometry=points.to_numpy(),
        crs=4326,
    ).astype({"kind": "str"})
    moved = gpd.GeoSeries(shapely.points(xy), crs=epsg).to_crs(4326)
    register = venues.assign(name=pd.Series(names, dtype="str")).set_geometry(
        moved.to_numpy(), crs=4326
    )
    truth = pd.DataFrame(
        {
            "poi_id": ids,
            "case": kinds,
            "is_gap": np.concatenate([is_gap, np.zeros(len(others), bool)]),
            "venue_id": venues["venue_id"].to_numpy()[rows],
        }
    )
    return pois, register.drop(index=chosen[is_gap]).reset_index(drop=True), truth


def judged(truth, missing):
    """Precision and recall of the gaps found: `missing` is a bool per row of the truth."""
    hit = (truth["is_gap"] & missing).sum()
    return hit / max(missing.sum(), 1), hit / truth["is_gap"].sum()
