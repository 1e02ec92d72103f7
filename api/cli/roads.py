"""What commands on the streets share: what is closed, and places the streets do not reach."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from api.cli.session import Session, say_notes

if TYPE_CHECKING:
    import numpy as np

    from geo.io import Refusal
    from routing.model import Place
    from routing.network import Conditions
    from routing.roads import Note
    from routing.travel import Snaps, Travel


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceFile:
    """A file of places as its user knows it.

    Attributes
    ----------
    source : str
        Name of the file.
    datum : str
        What it was said to be in.
    rows : sequence of int
        Data row of each place, counted from 1.
    """

    source: str
    datum: str
    rows: Sequence[int] = field(default_factory=list)


def rows_kept(refused: "Iterable[Refusal]", source: str, n: int) -> list[int]:
    """Return the data rows of a file that its reader did not refuse, the first `n`."""
    left = {one.row for one in refused if one.source == source}
    kept = [row for row in range(1, n + len(left) + 1) if row not in left]
    return kept[:n]


def closure_figures(held: "Conditions | None") -> "list[Note]":
    """Return messages on the closures that hold, and on those of them that touch no street."""
    from routing.roads import closures_held  # noqa: PLC0415  heavy: loaded by the commands only

    return list(closures_held(held))


def keep_near(
    session: Session,
    travel: "Travel",
    places: "Sequence[Place]",
    file: PlaceFile,
    *,
    limit: float,
) -> "tuple[np.ndarray, Snaps, list[Refusal]]":
    """Set aside the places that the roads do not reach, and say how far the others lie.

    Returns
    -------
    rows : ndarray of int64
        Places within `limit` metres of a street.
    snaps : Snaps
        These, on their streets.
    refused : list of Refusal
        The others.

    Raises
    ------
    StationUnreachable
        None is within reach, or so few that the network is of another area.
    """
    import numpy as np  # noqa: PLC0415

    from geo.crs import datum_of  # noqa: PLC0415
    from routing.travel.apart import apart_from_streets  # noqa: PLC0415
    from routing.travel.beyond import is_elsewhere  # noqa: PLC0415

    snaps = travel.snap_places(places)
    is_far = snaps.distance > limit
    n_far = int(is_far.sum())
    if n_far and (n_far == len(places) or is_elsewhere(n_far, len(places))):
        travel.refuse_beyond(places, snaps, source=file.source, limit=limit)
    rows = np.flatnonzero(~is_far)
    near, kept = [places[k] for k in rows.tolist()], snaps.take(rows)
    apart = apart_from_streets(travel, near, kept, stated=datum_of(file.datum))
    say_notes(session, list(apart.notes(file.source)))
    far = np.flatnonzero(is_far).tolist()
    refused = [_refusal(places[k], file, k, float(snaps.distance[k]), limit) for k in far]
    return rows, kept, refused


def _refusal(place: "Place", file: PlaceFile, k: int, metres: float, limit: float) -> "Refusal":
    from geo.frames import Col  # noqa: PLC0415
    from geo.io import Refusal  # noqa: PLC0415

    return Refusal(
        source=file.source,
        row=file.rows[k],
        column=Col.GEOMETRY,
        code="refusal.off_roads",
        params={
            "name": place.name,
            "lon": f"{place.lon:.5f}",
            "lat": f"{place.lat:.5f}",
            "metres": f"{metres:,.0f}",
            "limit_m": f"{limit:,.0f}",
        },
        key=place.place_id,
    )
