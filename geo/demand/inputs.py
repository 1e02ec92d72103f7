"""What demand may rest on: residents' reports, place layers and hours; never who lives there."""

import re
from collections.abc import Iterable
from typing import Final

from geo.errors import DemandInputRefused
from geo.privacy import is_personal_header
from geo.privacy.headers import normal_header
from geo.privacy.shown import column_shown

SOCIAL: Final = re.compile(
    "人口|普查|常住|户籍|流动|暂住|外来|民族|少数|宗教|收入|工资|贫困|低保|救助|就业|失业|学历|教育程度|年龄|老龄|"
    "性别|婚姻|家庭结构|家庭类型|户均|户型|单亲|独居|空巢|留守|租住|出租屋|出租房|租户|租客|租房|房屋租赁|住房租赁|租赁户|租赁率|自住|产权|房价|租金|"
    r"\bcensus|\bpopulation|\bincome|\bwage|\bpoverty|\bwelfare|\bunemploy|\bemployment|\bethnic|"
    r"\brac(?:e|ial)\b|\breligio|\bminorit|\bmigrant|\bimmigrant|\bforeign|\bnationalit|\btenan|"
    r"\brent(?:s|ed|er|ers)?\b|\brental (?:share|rate|housing)|\blandlord|\bowner ?occup|\btenure|"
    r"\bhousehold (?:size|type|composition|structure)|\bsingle parent|\bfamil(?:y|ies)|\belder|"
    r"\byouth|\bgender|\bsex\b|\bages?\b|\beducation|\bmarital|\bdemograph|\bsocio|\bdepriv|"
    r"\bhousing (?:price|value)|\bhouse price"
)
"""Parts of a header, layer or field that is about the people of a place.

Counts of households and addresses are about places: they tell whether a street is lived in and
keep a count from pointing at one home, and weigh nothing.
"""


def is_social(header: str) -> bool:
    """Tell whether a column or layer describes the people who live at a place.

    Examples
    --------
    >>> [is_social(h) for h in ("人口密度", "median_income", "RentShare", "households", "name")]
    [True, True, True, False, False]
    """
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header)
    plain = re.sub(r"[^a-z一-鿿]+", " ", words.lower().replace("_", " ")).strip()
    return SOCIAL.search(plain) is not None or SOCIAL.search(normal_header(header)) is not None


def refuse_social(headers: Iterable[object], *, source: str) -> None:
    """Refuse inputs that describe who lives at a place.

    Parameters
    ----------
    headers : iterable
        Column names of an input, or the names of layers.
    source : str
        File or layer they come from.

    Raises
    ------
    DemandInputRefused
        Names the columns.
    """
    names = [str(header) for header in headers]
    found = [
        column_shown(name, number)
        for number, name in enumerate(names, start=1)
        if is_social(name) or is_personal_header(name)
    ]
    if found:
        raise DemandInputRefused(source=source, columns=tuple(found))
