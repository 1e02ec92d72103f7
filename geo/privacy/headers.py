"""Column headers that name or describe persons."""

import re
import unicodedata
from typing import Final

CHINESE_PERSONAL: Final = (
    "姓名", "负责人", "法人", "法定代表", "经营者", "联系人", "责任人", "业主", "房东", "户主",
    "店主", "老板", "房主", "车主", "承租", "租客", "租户", "住户", "当事人", "报警人", "报案人",
    "举报人", "投诉人", "受害人", "被害人", "嫌疑人", "违法人", "证人", "民警", "警员", "辅警",
    "带班", "网格员", "网格长", "楼长", "巡查员", "检查人", "填报人", "录入人", "操作员", "人员",
    "身份证", "证件号", "公民身份", "护照", "驾驶证", "社保号", "手机", "电话", "座机", "联系方式",
    "联系号码", "车牌", "号牌", "警号", "工号", "民族", "户籍", "户口", "籍贯", "宗教", "信仰",
    "国籍", "年龄", "岁数", "性别", "出生", "生日", "婚姻", "学历", "文化程度", "政治面貌", "职业",
    "微信", "qq号", "邮箱", "电子邮件", "住址", "家庭", "照片", "人脸", "头像", "指纹", "声纹",
    "银行卡", "收入", "病史", "前科", "imei", "imsi",
)  # fmt: skip
"""Parts of a Chinese header; one of them is enough."""

CHINESE_FINE: Final = (
    "人员密集", "法人单位", "从业人员数", "人员数", "负责单位", "责任单位", "户籍数", "家庭户数",
    "从业人数", "家庭数", "户口数",
)  # fmt: skip
"""Headers of places and counts that hold one of the parts above."""

_PINYIN_PERSONAL_WORDS: Final = (
    "xm sfzh sfzhm gmsfhm gmsfzh zjhm lxdh lxfs lxr lxrxm fzr fzrxm frxm frdb fddbr sjh sjhm dhhm "
    "cph cphm hphm jh jhm csrq hjdz xbdm mzdm jtzz bjrxm bjrdh bjdh dsrxm xingming dianhua shouji "
    "chepai"
)
PINYIN_PERSONAL: Final = frozenset(_PINYIN_PERSONAL_WORDS.split())
"""Pinyin initials used in police and government tables (GA/T 543 data elements)."""

_ENGLISH_PERSONAL_WORDS: Final = (
    "person owner manager contact phone phones mobile tel telephone cellphone fax email mail "
    "wechat weixin qq idcard identity passport plate licence license vin badge officer officers "
    "ethnicity race religion nationality citizenship age sex gender birth birthday birthdate dob "
    "surname firstname lastname fullname forename nickname representative suspect victim caller "
    "complainant reporter witness offender driver tenant landlord occupant resident householder "
    "face faces photo portrait fingerprint proprietor boss staff employee imei"
)
ENGLISH_PERSONAL: Final = frozenset(_ENGLISH_PERSONAL_WORDS.split())
"""English words; one of them as a word of the header is enough."""

ENGLISH_PHRASES: Final = (
    "id card", "id number", "id no", "full name", "first name", "last name", "family name",
    "given name", "legal person", "car no", "car number", "reg number", "home address",
    "marital status", "social security", "bank account", "license plate", "head of household",
)  # fmt: skip

FREE_TEXT: Final = (
    "案情", "警情内容", "报警内容", "内容", "描述", "备注", "详情", "经过", "处理结果", "处置情况",
    "处警情况", "反馈", "摘要", "说明",
)  # fmt: skip
"""Parts of headers under which people are described at length."""

_ENGLISH_FREE_TEXT_WORDS: Final = (
    "content description narrative remark remarks note notes comment comments summary details text "
    "story statement"
)
ENGLISH_FREE_TEXT: Final = frozenset(_ENGLISH_FREE_TEXT_WORDS.split())


def normal_header(header: str) -> str:
    """Return a header as it is compared: full width narrowed, lower case, no blanks."""
    return "".join(unicodedata.normalize("NFKC", header).lower().split())


def is_personal_header(header: str) -> bool:
    """Tell whether a column of this name names or describes persons.

    Examples
    --------
    >>> [is_personal_header(h) for h in ("负责人", "LXDH", "owner_name", "场所名称", "stage")]
    [True, True, True, False, False]
    """
    normal = normal_header(header)
    if normal in CHINESE_FINE:
        return False
    if any(part in normal for part in CHINESE_PERSONAL):
        return True
    words = _words(header)
    if PINYIN_PERSONAL & set(words) or ENGLISH_PERSONAL & set(words):
        return True
    return any(f" {phrase} " in f" {' '.join(words)} " for phrase in ENGLISH_PHRASES)


def is_free_text(header: str) -> bool:
    """Tell whether a column of this name holds sentences, in which people get described."""
    normal = normal_header(header)
    return any(part in normal for part in FREE_TEXT) or bool(
        ENGLISH_FREE_TEXT & set(_words(header))
    )


def _words(header: str) -> list[str]:
    """Return the lower-case English words of a header: ownerName, OWNER-NAME, owner_name."""
    text = unicodedata.normalize("NFKC", header)
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return re.findall(r"[a-z]+", text.lower())
