"""Travel profiles: the shipped one, a place's own, the part of the day, and what is refused."""

from dataclasses import replace
from datetime import datetime, time

import numpy as np
import pytest

from api.i18n import explain
from geo.errors import FileBlank, FileUnreadable, OptionInvalid, RuleInvalid
from geo.frames import StreetClass
from geo.io.rules import Section
from geo.units import CITY_ZONE, HOUR
from routing.io.profiles import profile_document, profile_of, read_profile, shipped_profile
from routing.io.profiles import read as profiles
from routing.model import Mode
from routing.network import BANDS, CLASSES, MODES, NIGHT, Profile, TimeBand, Turn

ART = CLASSES.index(StreetClass.ARTERIAL)


def test_the_shipped_file_is_the_profile_in_the_code():
    assert shipped_profile() == NIGHT


def test_a_profile_survives_being_written_down():
    busy = replace(NIGHT, version="own-1", corridor={"东昌路": 45.0})
    assert profile_of(Section(profile_document(busy), "own.toml")) == busy


def own(tmp_path, old, new):
    """The shipped file with one line changed, as a user's own."""
    shipped = (profiles.files("routing.io.profiles") / "travel-2026-2.toml").read_text("utf-8")
    assert old in shipped
    path = tmp_path / "own.toml"
    path.write_text(shipped.replace(old, new, 1), encoding="utf-8")
    return path


def test_own_speeds_and_a_green_wave(tmp_path):
    path = own(tmp_path, "[corridor]", '[corridor]\n"东昌路" = 50')
    profile = read_profile(path)
    assert profile.corridor == {"东昌路": 50.0}
    assert replace(profile, corridor={}) == NIGHT


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("arterial = 40.0", "arterial = -40.0", ["own.toml", "car.speed", "arterial", "-40"]),
        ("arterial = 40.0", "arterial = 0", ["car.speed", "arterial"]),
        ("arterial = 40.0", "arterial = 400", ["car.speed", "arterial", "400", "150"]),
        ("arterial = 40.0", "arterial = nan", ["car.speed", "arterial"]),
        ("arterial = 40.0", 'arterial = "40"', ["car.speed", "arterial", '"40"']),
        ("arterial = 40.0", "arterail = 40.0", ["car.speed", "arterail"]),
        ("peak = { expressway = 0.6", "peak = { expressway = 6", ["car.share.peak", "expressway"]),
        ("junction_delay = 4.0", "junction_delay = -4.0", ["car", "junction_delay", "-4"]),
        ("junction_delay = 4.0", "", ["car", "junction_delay"]),
        ("penalty = 7.5", "penalty = 7500", ["car.turn", "penalty"]),
        ("bias = 1.075", "bias = 9", ["car.turn", "bias"]),
        ('night = ["20:00"]', 'night = ["25:00"]', ["bands", "night"]),
        ('night = ["20:00"]', 'night = ["19:00"]', ["bands", "night"]),
        ('version = "2026-2"', 'version = " "', ["version"]),
        ("[car]", "[kar]", ["car"]),
        ("one_ways = true", "one_ways = 1", ["car", "one_ways"]),
    ],
)
def test_a_slip_names_file_table_and_key(tmp_path, old, new, words):
    with pytest.raises(RuleInvalid) as caught:
        read_profile(own(tmp_path, old, new))
    for language in ("zh", "en"):
        told = explain(caught.value, language)
        assert all(word in told for word in words), told


def test_a_file_that_is_no_toml(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text("[car\nspeed = 3", encoding="utf-8")
    with pytest.raises(FileUnreadable):
        read_profile(path)


def test_the_part_of_the_day():
    assert [NIGHT.band_at(time(h)) for h in (0, 6, 7, 9, 17, 19, 20, 23)] == [
        TimeBand.NIGHT,
        TimeBand.NIGHT,
        TimeBand.PEAK,
        TimeBand.DAY,
        TimeBand.PEAK,
        TimeBand.EVENING,
        TimeBand.NIGHT,
        TimeBand.NIGHT,
    ]
    night = datetime(2026, 11, 21, 20, tzinfo=CITY_ZONE)
    assert NIGHT.band_of(night, 6 * HOUR) is TimeBand.NIGHT
    # 16:00-20:00 is an hour of day, two of rush hour, one of evening.
    assert NIGHT.band_of(night.replace(hour=16), 4 * HOUR) is TimeBand.PEAK
    assert NIGHT.band_of(night.replace(hour=8), HOUR) is TimeBand.PEAK
    # 12:00 UTC is 20:00 in the city.
    assert NIGHT.band_of(datetime.fromisoformat("2026-11-21T12:00+00:00"), HOUR) is TimeBand.NIGHT
    assert NIGHT.bands == BANDS


def test_speeds_by_the_part_of_the_day():
    assert NIGHT.kmh(Mode.CAR)[ART] == 40.0
    assert NIGHT.kmh(Mode.CAR, TimeBand.PEAK)[ART] == pytest.approx(24.0)
    assert NIGHT.kmh(Mode.FOOT, TimeBand.PEAK)[ART] == 4.5
    assert np.isnan(NIGHT.kmh(Mode.CAR)[CLASSES.index(StreetClass.PATH)])


def test_turns_cost_what_osrm_says():
    # profiles/car.lua: 7.5 / (1 + exp(-((13 / 1.075) * 90 / 180 - 6.5 * 1.075))) = 2.10 s to the
    # right, 7.5 / (1 + exp(-((13 * 1.075) * 90 / 180 - 6.5 / 1.075))) = 5.40 s to the left.
    turn = Turn(penalty=7.5, bias=1.075, u_turn=20.0)
    angle = np.array([90.0, -90.0, 0.0, 180.0])
    seconds = turn.seconds(angle, np.array([False, False, False, True]))
    assert seconds[:3] == pytest.approx([2.10, 5.40, 0.007], abs=0.01)
    assert seconds[3] == pytest.approx(27.5, abs=0.05)
    assert NIGHT.turn[Mode.FOOT].seconds(angle, angle == 180.0).tolist() == [2.0] * 4


def test_profiles_made_in_code_are_checked_too():
    def with_band(share):
        return replace(NIGHT, band_factor={TimeBand.DAY: {Mode.CAR: {StreetClass.LANE: share}}})

    for broken in (
        lambda: with_band(0.0),
        lambda: replace(NIGHT, corridor={"东昌路": -5.0}),
        lambda: replace(NIGHT, bands=()),
        lambda: replace(NIGHT, bands=BANDS[::-1]),
        lambda: replace(NIGHT, turn={**NIGHT.turn, Mode.CAR: Turn(bias=0.0)}),
    ):
        with pytest.raises(OptionInvalid):
            broken()
    plain = Profile(version="1", speed=NIGHT.speed, junction_delay=dict.fromkeys(MODES, 0.0))
    assert plain.kmh(Mode.CAR, TimeBand.PEAK)[ART] == 40.0


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16"])
def test_a_file_in_another_encoding_says_how_to_save_it(tmp_path, encoding):
    """Issue 6: a profile of an editor that writes GBK was called damaged."""
    path = own(tmp_path, "[corridor]", '[corridor]\n"东昌路" = 50')
    path.write_bytes(path.read_text("utf-8").encode(encoding))
    with pytest.raises(FileUnreadable) as caught:
        read_profile(path)
    assert "UTF-8" in explain(caught.value, "en")
    assert "UTF-8 编码" in explain(caught.value, "zh")


def test_the_mark_that_windows_puts_before_utf8_is_no_fault(tmp_path):
    path = own(tmp_path, "arterial = 40.0", "arterial = 41.0")
    path.write_bytes(path.read_text("utf-8").encode("utf-8-sig"))
    assert read_profile(path).speed[Mode.CAR][StreetClass.ARTERIAL] == 41.0


def test_a_file_without_a_byte_is_no_table(tmp_path):
    """Issue 6: an empty profile was told to be exported again with at least one row."""
    (tmp_path / "own.toml").touch()
    with pytest.raises(FileBlank, match=r"own\.toml: the file has no content \(0 bytes\)"):
        read_profile(tmp_path / "own.toml")
