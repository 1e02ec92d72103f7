"""The hand-over files: a workbook nobody's name can turn into a formula, GPX that says planned."""

import runpy
from datetime import date
from pathlib import Path
from zipfile import ZipFile

import gpxpy
import openpyxl
import pytest

from api.exports import safe_name, write_gpx, write_venues_due
from geo.errors import OptionInvalid
from geo.privacy import Audience

make_night = runpy.run_path(str(Path(__file__).with_name("night_town.py")))["make_night"]

FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    '=HYPERLINK("http://x")',
    "\t=1",
    "\r=1",
    "a\x00b",
    "店",
]


@pytest.fixture(scope="module")
def night():
    return make_night()


@pytest.fixture
def table(night, tmp_path):
    write_venues_due(night, tmp_path / "due.xlsx", audience=Audience.COMMAND)
    return openpyxl.load_workbook(tmp_path / "due.xlsx")


def rows_of(sheet):
    head = [cell.value for cell in sheet[2]]
    return [
        dict(zip(head, row, strict=True)) for row in sheet.iter_rows(min_row=3, values_only=True)
    ]


def test_both_languages_have_list_and_summary(table):
    assert table.sheetnames == ["到期清单", "汇总", "Due list", "Summary"]
    assert [cell.value for cell in table["到期清单"][2]][:3] == ["场所编号", "场所名称", "类别"]
    assert [cell.value for cell in table["Due list"][2]][:3] == ["Venue id", "Name", "Kind"]


def test_the_list_holds_what_is_due_in_the_order_of_work(table):
    rows = rows_of(table["到期清单"])
    # 6 overdue (v000, v004 …), 6 due this month (v001, v005 …), two of them planned, and 6 that
    # were never inspected, which no round can date
    assert len(rows) == 18
    assert sum(row["状态"] == "无检查记录" for row in rows) == 6
    assert [row["场所编号"] for row in rows[:3]] == ["v000", "v004", "v008"]
    first = rows[0]
    assert (first["类别"], first["风险等级"], first["状态"]) == ("小学校或幼儿园", "红", "逾期")
    assert (first["村居"], first["镇街"], first["派出所"]) == ("西南村委会", "西镇", "西镇所")
    assert (first["检查组"], first["当日顺序"], first["计划到达（开工后 时:分）"]) == (
        "检查1组",
        1,
        "00:05",
    )
    assert rows[2]["计划检查日"] is None


def test_codes_are_text_and_days_are_days(table):
    row = table["到期清单"][3]
    by_head = dict(zip([cell.value for cell in table["到期清单"][2]], row, strict=True))
    assert by_head["基础网格"].value == "371599001200001"
    assert by_head["基础网格"].number_format == "@"
    assert by_head["到期日"].value.date() == date(2026, 11, 17)
    assert by_head["到期日"].number_format == "yyyy-mm-dd"
    assert by_head["计划检查日"].value.date() == date(2026, 11, 23)


def test_the_sheet_is_ready_for_work_and_paper(table):
    sheet = table["到期清单"]
    assert sheet.freeze_panes == "C3"
    assert sheet.auto_filter.ref == "A2:P20"
    assert sheet.print_title_rows == "$1:$2"
    assert sheet.page_setup.orientation == "landscape"
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert sheet.column_dimensions["B"].width == 24


def test_every_share_carries_its_denominator(table):
    rows = {row[0]: row[1:] for row in table["Summary"].iter_rows(values_only=True) if row[0]}
    assert rows["Venues listed"] == (12, 24, 0.5)
    assert rows["Overdue (of venues with a record)"] == (6, 18, pytest.approx(1 / 3))
    assert rows["Never inspected (not in the two rows above)"] == (6, 24, 0.25)
    assert rows["Planned this month"] == (2, 12, pytest.approx(1 / 6))
    assert rows["Boundary version"][0] == "2023-06"
    assert rows["Audience"][0] == "Command only"
    assert "Synthetic data: stands for no real place" in rows


def test_no_name_becomes_a_formula(tmp_path):
    names = iter(FORMULAS * 40)
    write_venues_due(
        make_night(lambda text: next(names)), tmp_path / "x.xlsx", audience=Audience.COMMAND
    )
    book = openpyxl.load_workbook(tmp_path / "x.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "inlineStr", "n", "d"}
    suspicious = [
        cell for cell in cells if isinstance(cell.value, str) and cell.value[:1] in "=+-@"
    ]
    assert suspicious
    assert all(cell.quotePrefix for cell in suspicious)
    with ZipFile(tmp_path / "x.xlsx") as archive:
        sheets = [name for name in archive.namelist() if "worksheets/sheet" in name]
        assert all(b"<f>" not in archive.read(name) for name in sheets)


def test_a_partner_sees_no_rota(night, tmp_path):
    write_venues_due(night, tmp_path / "p.xlsx", audience=Audience.PARTNER)
    head = [cell.value for cell in openpyxl.load_workbook(tmp_path / "p.xlsx")["到期清单"][2]]
    assert not {"检查组", "计划检查日", "当日顺序"} & set(head)


def test_the_public_sees_no_venue_and_no_small_count(night, tmp_path):
    write_venues_due(night, tmp_path / "p.xlsx", audience=Audience.PUBLIC)
    book = openpyxl.load_workbook(tmp_path / "p.xlsx")
    assert book.sheetnames == ["汇总", "Summary"]
    rows = {row[0]: row[1:] for row in book["汇总"].iter_rows(values_only=True)}
    assert rows["已排入本月计划"] == ("少于 5，不显示", 12, None)


def test_the_same_month_gives_the_same_bytes(night, tmp_path):
    for name in ("a.xlsx", "b.xlsx"):
        write_venues_due(night, tmp_path / name, audience=Audience.COMMAND)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


# ------------------------------------------------------------------------------------------ GPX


def test_one_route_per_team(night, tmp_path):
    paths = write_gpx(night, tmp_path / "gpx", audience=Audience.COMMAND)
    assert [path.name for path in paths] == ["01_西镇1组.gpx", "02_西镇2组.gpx", "03_东镇1组.gpx"]


def test_stops_have_planned_times_and_streets_their_line(night, tmp_path):
    paths = write_gpx(night, tmp_path, audience=Audience.COMMAND)
    gpx = gpxpy.parse(paths[2].read_text(encoding="utf-8"))
    assert [point.name for point in gpx.waypoints] == [
        "出发 地点 S2",
        "01 地点 G",
        "02 地点 C",
        "03 地点 C",
    ]
    assert gpx.waypoints[1].time.isoformat() == "2026-11-21T14:00:00+00:00"  # 22:00 in the city
    assert gpx.waypoints[1].description == "计划 22:00–22:20 · 定点岗"
    assert (gpx.waypoints[1].longitude, gpx.waypoints[1].latitude) == (115.93, 36.41)
    segments = gpx.tracks[0].segments
    assert [len(segment.points) for segment in segments] == [
        2,
        2,
        4,
    ]  # the leg without a way is left out
    assert segments[0].points[-1].time.isoformat() == "2026-11-21T12:05:00+00:00"


def test_it_says_what_it_is(night, tmp_path):
    (path, *_) = write_gpx(night, tmp_path, audience=Audience.COMMAND, lang="en")
    about = gpxpy.parse(path.read_text(encoding="utf-8")).description
    for words in (
        "not live",
        "Command only",
        "SYNTHETIC",
        "2026-11-20",
        "GS(2024)0650",
        "plan-0001",
    ):
        assert words in about


def test_a_team_gets_its_own_night(night, tmp_path):
    (path,) = write_gpx(night, tmp_path, audience=Audience.TEAM, unit_id="u2")
    assert path.name == "02_西镇2组.gpx"
    with pytest.raises(OptionInvalid):
        write_gpx(night, tmp_path, audience=Audience.TEAM)


@pytest.mark.parametrize("audience", [Audience.PARTNER, Audience.PUBLIC])
def test_outside_no_route_is_written(night, tmp_path, audience):
    assert write_gpx(night, tmp_path / "gpx", audience=audience) == ()
    assert list((tmp_path / "gpx").iterdir()) == []


def test_hostile_call_signs_stay_in_the_folder(tmp_path):
    names = iter(["../../etc/x", "<a>&\x00", "CON:|?*"] * 100)
    paths = write_gpx(make_night(lambda text: next(names)), tmp_path, audience=Audience.COMMAND)
    assert len({path.name for path in paths}) == 3
    for path in paths:
        assert path.parent == tmp_path
        gpxpy.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("古楼所1组", "古楼所1组"),
        ("../x", "x"),
        ("", "team"),
        ("a b\u2028c", "a_b_c"),
        ("..", "team"),
        ("x" * 99, "x" * 60),
    ],
)
def test_safe_names(name, safe):
    assert safe_name(name) == safe
