"""Words users write for the vocabularies of the place layers, in Chinese and English."""

import re
from collections.abc import Iterable
from typing import Final

from geo.frames import AssetKind, Force, HazardKind, ParkingKind, RailKind, ServiceKind, ZoneOrigin
from geo.io.words import Words

_RAIL: Final = (
    (r"高铁|高速|客专|客运专线|城际|high.?speed", RailKind.HIGH_SPEED),
    (r"地铁|轻轨|轨道|有轨|metro|subway|light.?rail|tram|monorail", RailKind.METRO),
    (r"支线|专用|货场|站线|branch|spur|siding|yard|industrial", RailKind.BRANCH),
    (r"干线|普速|普通|铁路|铁道|^rail(?:way)?$|main", RailKind.MAIN),
)
_SERVICE: Final = (
    (r"执法|enforcement", ServiceKind.ENFORCEMENT),
    (r"综治|矛调|治理中心|centre|center", ServiceKind.CENTRE),
    (r"驿站|警务站|post.?house|way.?station", ServiceKind.POST_HOUSE),
)
_PARKING: Final = (
    (r"非机动|自行车|电动车|单车|bicycle|bike", ParkingKind.BICYCLE),
    (r"路内|路边|道路|泊位|roadside|street|kerb|curb", ParkingKind.ROADSIDE),
    (r"停车|公共|地下|地面|car.?park|parking|garage", ParkingKind.CAR_PARK),
)
_HAZARD: Final = (
    (r"加油|油库|汽油|柴油|成品油|fuel|petrol|gas.?station", HazardKind.FUEL),
    (r"液化|瓶装|lpg", HazardKind.LPG),
    (r"燃气|天然气|煤气|加气|门站|调压|natural.?gas|^gas$|cng|lng", HazardKind.GAS),
    (r"民爆|爆炸|炸药|雷管|explosive", HazardKind.EXPLOSIVE),
    (r"烟花|爆竹|鞭炮|firework", HazardKind.FIREWORK),
    (r"危化|危险化学|化学|化工|剧毒|chemical", HazardKind.CHEMICAL),
    (r"其他|其它|危险|other", HazardKind.OTHER),
)
_ASSET: Final = (
    (r"岸|湖|水库|坑塘|shore|lake|bank", AssetKind.SHORE),
    (r"河|渠|沟|river|canal|stream|ditch|drain|waterway", AssetKind.RIVER),
)
_ORIGIN: Final = (
    (r"建议|推荐|自动|propos|suggest", ZoneOrigin.PROPOSED),
    (r"划定|人工|认定|批准|正式|drawn|official|approved", ZoneOrigin.DRAWN),
)
_FORCE: Final = (
    (r"志愿|义警|义务|群防|volunteer", Force.VOLUNTEER),
    (r"抽调|下沉|借调|支援|轮值|机关|second|borrow|lent", Force.SECONDED),
    (r"专职|专业|自有|本级|自建|own|full.?time|professional", Force.OWN),
)


def _words(name: str, groups: tuple[tuple[str, str], ...], values: Iterable[str]) -> Words:
    patterns = tuple((re.compile(pattern), str(value)) for pattern, value in groups)
    return Words(name=name, values=tuple(map(str, values)), patterns=patterns)


rail_kind: Final = _words("rail_kind", _RAIL, RailKind)
service_kind: Final = _words("service_kind", _SERVICE, ServiceKind)
parking_kind: Final = _words("parking_kind", _PARKING, ParkingKind)
hazard_kind: Final = _words("hazard_kind", _HAZARD, HazardKind)
asset_kind: Final = _words("asset_kind", _ASSET, AssetKind)
zone_origin: Final = _words("zone_origin", _ORIGIN, ZoneOrigin)
force: Final = _words("force", _FORCE, Force)
