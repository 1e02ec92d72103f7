"""What `compare-times` does: places drawn, two engines asked, speeds and differences said."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from api.cli.session import Session, as_findings, say_notes
from api.i18n import text
from api.i18n.word import Word
from geo import frames, io
from geo.errors import FarFromStreets, OptionInvalid
from geo.io import Reading
from geo.io.write import staging
from routing.comparison import compare
from routing.io.external import Engine, ExternalEngine, ExternalTimes
from routing.io.network_file import NetworkFile, open_network
from routing.model import UNREACHABLE, Mode
from routing.network import CLASSES, TimeBand
from routing.travel import REACH_M, Snaps, Travel

FEWEST, MOST = 2, 1000
"""Places that are compared: a million pairs are 400 questions."""

HEADER: Final = ("origin_id", "destination_id", "own_s", "other_s", "own_m", "other_m")
"""Columns of the pairs written."""

Own = tuple[NDArray[np.int32], NDArray[np.float64]]
"""Seconds and metres of our own, shape (n, n)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is compared."""

    mode: Mode
    band: TimeBand
    sample: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Our network, and the places compared on it.

    Attributes
    ----------
    rows : list of int
        Rows of the layer.
    lonlat : ndarray of float64, shape (n, 2)
        The places as they were given: both engines find their own street.
    """

    file: NetworkFile
    travel: Travel
    rows: list[int]
    snaps: Snaps
    lonlat: NDArray[np.float64]


def engine_of(session: Session) -> ExternalEngine:
    """Return the server of the settings.

    Raises
    ------
    OptionInvalid
        None is set.
    """
    kind, url = session.settings.engine, session.settings.engine_url
    if not kind or not url:
        missing = "PATROLGRID_ENGINE_URL" if kind else "PATROLGRID_ENGINE"
        raise OptionInvalid(option=missing, value="–", expected=Word("compare.set"))
    return ExternalEngine(Engine(kind), url)


def read_wish(mode: str, band: str, *, sample: int, seed: int) -> Wish:
    """Return what is compared, in words of ours."""
    modes, bands = ([one.value for one in kind] for kind in (Mode, TimeBand))
    for option, value, allowed in (("--mode", mode, modes), ("--band", band, bands)):
        if value not in allowed:
            raise OptionInvalid(option=option, value=value, expected=", ".join(allowed))
    if not FEWEST <= sample <= MOST:
        raise OptionInvalid(option="--sample", value=sample, expected=f"{FEWEST} - {MOST:,}")
    return Wish(mode=Mode(mode), band=TimeBand(band), sample=sample, seed=seed)


def read_places(
    session: Session, path: Path, layer: str, *, datum: str, drop: str
) -> tuple[Reading, list[str]]:
    """Return a layer of points, and the ids of its rows."""
    layers = {
        "venues": (io.read_venues, frames.VENUES),
        "stations": (io.read_stations, frames.STATIONS),
        "posts": (io.read_posts, frames.POSTS),
    }
    if layer not in layers:
        raise OptionInvalid(option="--layer", value=layer, expected=", ".join(layers))
    reader, schema = layers[layer]
    left_out = tuple(name.strip() for name in drop.split(",") if name.strip())
    reading = reader(path, datum=datum, drop=left_out)
    say_notes(session, as_findings(reading.notes))
    return reading, reading.frame[schema.key].tolist()


def draw(
    session: Session, network: Path, places: gpd.GeoDataFrame, wish: Wish, *, source: str
) -> Ground:
    """Draw places near our streets; those farther off are counted, not compared.

    Raises
    ------
    FarFromStreets
        No place is near a street.
    OptionInvalid
        A single one is.
    """
    file = open_network(network)
    travel = Travel(file.network, (wish.mode,), topology=file.topology, band=wish.band)
    lonlat = places.geometry.get_coordinates().to_numpy()
    snaps = travel.snap(lonlat)
    near = np.flatnonzero(snaps.distance <= REACH_M)
    n_far = len(lonlat) - len(near)
    if not len(near):
        metres = f"{REACH_M:g}"
        raise FarFromStreets(source=source, n=n_far, metres=metres, streets=network.name)
    if len(near) < FEWEST:
        raise OptionInvalid(option="--layer", value=source, expected=Word("compare.two"))
    if n_far:
        session.say("compare.far", n=f"{n_far:,}", total=f"{len(lonlat):,}", metres=f"{REACH_M:g}")
    random = np.random.default_rng(wish.seed)
    rows = np.sort(random.choice(near, size=min(wish.sample, len(near)), replace=False))
    return Ground(
        file=file, travel=travel, rows=rows.tolist(), snaps=snaps.take(rows), lonlat=lonlat[rows]
    )


def say_speeds(session: Session, engine: ExternalEngine, ground: Ground, wish: Wish) -> None:
    """Print which speeds each of the two used: they move results, not the engines."""
    lang, profile = session.lang, ground.file.network.profile
    kmh = profile.kmh(wish.mode, wish.band)
    speeds = [
        f"{text(f'word.street_class.{one}', lang)} {speed:g}"
        for one, speed in zip(CLASSES, np.round(kmh, 1), strict=True)
        if np.isfinite(speed)
    ]
    session.say(
        "compare.own",
        version=profile.version,
        mode=text(f"compare.mode.{wish.mode}", lang),
        band=text(f"compare.band.{wish.band}", lang),
        speeds=text("compare.comma", lang).join(speeds),
        delay=f"{profile.junction_delay[wish.mode]:g}",
        source=ground.file.source,
        day=ground.file.data_date,
    )
    theirs = engine.speeds(wish.mode)
    unsaid = text("cli.place.unstated", lang)
    session.say(
        f"compare.{theirs.engine}",
        name=engine.name,
        profile=theirs.profile,
        release=theirs.release or unsaid,
        data=theirs.data or unsaid,
    )


def say_difference(session: Session, own: Own, other: ExternalTimes, *, total: int) -> None:
    """Print how much the times of all pairs of different places differ.

    Parameters
    ----------
    own : (seconds, metres)
        Ours, shape (n, n).
    other : ExternalTimes
        Theirs, of the same shape.
    total : int
        Places of the layer, drawn or not.
    """
    n = len(own[0])
    found = compare(own, (other.seconds, other.metres), is_pair=~np.eye(n, dtype=bool))
    session.say("compare.pairs", n=f"{n:,}", total=f"{total:,}", pairs=f"{found.n_pairs:,}")
    counts = {"own": found.n_only_own, "other": found.n_only_other}
    for who, count in counts.items():
        if count:
            session.say(f"compare.only.{who}", n=f"{count:,}", total=f"{found.n_pairs:,}")
    if not found.n_both:
        session.say("compare.none")
        return
    low, middle, high = (f"{100 * share:+.1f} %" for share in found.difference)
    share = f"{found.n_close:,}/{found.n_both:,} ({100 * found.n_close / found.n_both:.1f} %)"
    session.say("compare.difference", low=low, middle=middle, high=high, share=share)
    if np.isfinite(found.detour):
        session.say(
            "compare.speed",
            own=f"{found.own_kmh:.1f}",
            other=f"{found.other_kmh:.1f}",
            detour=f"{100 * (found.detour - 1):+.1f} %",
        )


def write_pairs(out: Path, ids: list[str], own: Own, other: ExternalTimes) -> None:
    """Write every pair; what one of the two does not find stays blank."""
    seconds, metres = own
    apart = np.argwhere(~np.eye(len(ids), dtype=bool))
    columns = [
        *(np.where(one == UNREACHABLE, np.nan, one) for one in (seconds, other.seconds)),
        *(np.where(np.isfinite(one), one, np.nan) for one in (metres, other.metres)),
    ]
    with (
        staging(out.absolute().parent) as stage,
        (stage / out.name).open("w", encoding="utf-8-sig", newline="") as stream,
    ):
        writer = csv.writer(stream)
        writer.writerow(HEADER)
        for i, k in apart.tolist():
            values = (column[i, k] for column in columns)
            shown = ["" if np.isnan(value) else f"{value:.0f}" for value in values]
            writer.writerow([ids[i], ids[k], *shown])
