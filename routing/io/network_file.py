"""A city's network and its hierarchy as one file of flat arrays: ``city.npz``.

An uncompressed NumPy archive: every column of `Network` and of `Topology` as it lies in memory,
texts as one run of UTF-8 and where each ends, everything else as JSON. Nothing in it is ever
executed (no pickle). A digest over all of it tells a damaged file from a whole one.
"""

import hashlib
import io
import json
import struct
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from geo.errors import FileUnreadable, InputError, OptionInvalid
from geo.frames import Col
from geo.io.opening import check_file
from geo.io.rules import Section
from geo.io.write import staging
from routing.hierarchy import NONE, Topology
from routing.io.profiles import profile_document, profile_of
from routing.network import CLASSES, MODES, Network, NetworkReport

FORMAT: Final = "patrolgrid.network/1"

SUFFIX: Final = ".npz"

LARGEST: Final = 2 << 30
"""Bytes of a network file that is opened: a city of 100,000 nodes has about 50 MB."""

_META: Final = "meta"
_DIGEST: Final = "digest"
_NETWORK: Final = "network."
_TOPOLOGY: Final = "topology."

_NO_ARCHIVE: Final = (
    zipfile.BadZipFile, EOFError, MemoryError, NotImplementedError, OSError, RuntimeError,
    struct.error,
)  # fmt: skip
"""What Python's zipfile and NumPy's reader raise over bytes that are no archive of arrays."""

Columns = dict[str, NDArray[Any]]
"""Arrays of any type by the name they have in the file."""


class Hint(StrEnum):
    """What to do about a network file that cannot be used; the catalogue has both languages."""

    DAMAGED = (
        "The file is damaged or not what its name says; make it again with: patrolgrid network"
    )
    NOT_A_NETWORK = (
        "It is no network file (.npz); make one of the streets with: "
        "patrolgrid network STREETS --out city.npz"
    )
    OTHER_VERSION = "It was written by another release; make it again with: patrolgrid network"
    OTHER_STREETS = "a network made of these very streets: patrolgrid network"
    WITH_NETWORK = (
        "not beside --network, which has a profile of its own; "
        "make the network again with patrolgrid network --profile"
    )
    SUFFIX = "a file name that ends in .npz"

    @property
    def code(self) -> str:
        """Message code of the sentence."""
        return f"network.file.{self.name.lower()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFile:
    """A network as it stands on disk.

    Attributes
    ----------
    network : Network
    topology : Topology
        Of the network's nodes and arcs.
    report : NetworkReport
        What cleaning found when it was built.
    source : str
        File of the streets.
    data_date : date
        Day the streets were true.
    streets : str
        `streets_digest` of the street frame it was built of.
    is_day_stated : bool
        False where `data_date` is the day the network was made.
    """

    network: Network
    topology: Topology
    report: NetworkReport
    source: str
    data_date: date
    streets: str
    is_day_stated: bool = True


def write_network(path: Path | str, file: NetworkFile) -> None:
    """Write a network, whole or not at all; the same network gives the same bytes.

    Raises
    ------
    OptionInvalid
        A name that does not end in ``.npz``.
    """
    path = Path(path)
    if path.suffix.lower() != SUFFIX:
        raise OptionInvalid(option="network", value=path.name, expected=Hint.SUFFIX)
    columns = _columns(file)
    columns[_DIGEST] = np.frombuffer(_digest(columns), dtype=np.uint8)
    with staging(path.absolute().parent) as stage, (stage / path.name).open("wb") as stream:
        _save(stream, columns)


def read_network(path: Path | str) -> tuple[Network, Topology]:
    """Return the network and the topology of a file; raises as `open_network` does."""
    file = open_network(path)
    return file.network, file.topology


def open_network(path: Path | str) -> NetworkFile:
    """Read a network file.

    Raises
    ------
    FileMissing, FileBlank
    FileUnreadable
        Damaged, no network, or of another version of the format.
    """
    path = Path(path)
    check_file(path, most=LARGEST)
    damaged = Hint.DAMAGED if path.suffix.lower() == SUFFIX else Hint.NOT_A_NETWORK
    try:
        columns = _load(path)
        meta = json.loads(columns[_META].tobytes())
        stated = meta["format"]
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(path, damaged) from error
    if stated != FORMAT:
        raise _unreadable(path, Hint.OTHER_VERSION)
    try:
        if columns.pop(_DIGEST).tobytes() != _digest(columns):
            raise _unreadable(path, Hint.DAMAGED)
        return _file_of(meta, columns, source=path.name)
    except (KeyError, TypeError, ValueError, IndexError, InputError) as error:
        raise _unreadable(path, Hint.DAMAGED) from error


def streets_digest(streets: gpd.GeoDataFrame) -> str:
    """Return the digest of what a network takes from a street frame."""
    digest = hashlib.sha256()
    for name in (Col.SEGMENT_ID, Col.NAME, Col.STREET_CLASS):
        digest.update("\n".join(streets[name].fillna("").astype(str)).encode())
    digest.update(np.packbits(streets[Col.ONEWAY].to_numpy(dtype=bool)).tobytes())
    for name in (Col.LANES, Col.MAX_SPEED):
        if name in streets:
            digest.update(streets[name].to_numpy(dtype=np.float64).tobytes())
    lonlat, owner = shapely.get_coordinates(streets.geometry.to_numpy(), return_index=True)
    digest.update(lonlat.tobytes())
    digest.update(owner.astype(np.int64).tobytes())
    return digest.hexdigest()


def require_streets(file: NetworkFile, streets: gpd.GeoDataFrame, *, option: str) -> None:
    """Refuse a network that was made of other streets than these.

    Raises
    ------
    OptionInvalid
    """
    if file.streets != streets_digest(streets):
        raise OptionInvalid(option=option, value=file.source, expected=Hint.OTHER_STREETS)


def _unreadable(path: Path, hint: Hint) -> FileUnreadable:
    return FileUnreadable(source=path.name, expected=FORMAT, hint=hint)


def _columns(file: NetworkFile) -> Columns:
    network = file.network
    columns: Columns = {}
    for field in fields(network):
        value = getattr(network, field.name)
        if isinstance(value, np.ndarray) and value.dtype != object:
            columns[_NETWORK + field.name] = value
    columns |= _texts(_NETWORK + "names", network.names)
    columns |= _texts(_NETWORK + "segment_id", network.segment_id.tolist())
    columns |= {_TOPOLOGY + name: column for name, column in file.topology.to_arrays().items()}
    meta = {
        "format": FORMAT,
        "epsg": network.epsg,
        "profile": profile_document(network.profile),
        "report": asdict(file.report),
        "source": file.source,
        "data_date": file.data_date.isoformat(),
        "is_day_stated": file.is_day_stated,
        "streets": file.streets,
    }
    text = json.dumps(meta, ensure_ascii=False, sort_keys=True)
    columns[_META] = np.frombuffer(text.encode(), dtype=np.uint8)
    return columns


def _file_of(meta: dict[str, Any], columns: Columns, *, source: str) -> NetworkFile:
    own = _under(_NETWORK, columns)
    segment_id = np.empty(len(own["length"]), dtype=object)
    segment_id[:] = _texts_of("segment_id", own)
    plain = {name: own[name] for name in own if not name.startswith(("names.", "segment_id."))}
    network = Network(
        epsg=int(meta["epsg"]),
        profile=profile_of(Section(meta["profile"], source)),
        names=tuple(_texts_of("names", own)),
        segment_id=segment_id,
        **plain,
    )
    topology = Topology.from_arrays(_under(_TOPOLOGY, columns))
    _require_inside(network, topology)
    corridors = meta["report"]["corridors_unknown"]
    return NetworkFile(
        network=network,
        topology=topology,
        report=NetworkReport(**{**meta["report"], "corridors_unknown": tuple(corridors)}),
        source=str(meta["source"]),
        data_date=date.fromisoformat(meta["data_date"]),
        streets=str(meta["streets"]),
        is_day_stated=bool(meta.get("is_day_stated", True)),
    )


def _require_inside(network: Network, topology: Topology) -> None:
    """Refuse numbers that point outside the columns they point into: kernels trust them all.

    Raises
    ------
    ValueError
    """
    n_nodes, n_points = network.n_nodes, len(network.xy)
    ranges = (
        (network.tail, 0, n_nodes),
        (network.head, 0, n_nodes),
        (network.name, 0, len(network.names)),
        (network.street_class, 0, len(CLASSES)),
        (network.offsets, 0, n_points + 1),
        (topology.rank, 0, n_nodes),
        (topology.ptr, 0, topology.n_shortcuts + 1),
        (topology.head, 0, n_nodes),
        (topology.parent, NONE, n_nodes),
        (topology.shortcut, NONE, topology.n_shortcuts),
    )
    arcs = (network.usable[0], topology.shortcut, topology.is_upward)
    counts: tuple[tuple[int, Sequence[NDArray[Any]]], ...] = (
        (network.n_segments, (network.tail, network.head, network.street_class, network.name)),
        (network.n_segments, (network.lanes, network.max_speed)),
        (len(MODES), (network.usable,)),
        (2 * network.n_segments, arcs),
        (n_nodes, (network.junction, topology.rank, topology.parent)),
        (n_points, (network.lonlat, network.measure)),
        (network.n_segments + 1, (network.offsets,)),
    )
    fits = all(len(column) == n for n, columns in counts for column in columns)
    steps = np.diff(network.offsets) >= 2, np.diff(topology.ptr) >= 0
    if not (fits and all(step.all() for step in steps) and all(_is_in(*r) for r in ranges)):
        raise ValueError(FORMAT)


def _is_in(column: NDArray[Any], least: int, beyond: int) -> bool:
    """Tell whether every number is at least one and below the other."""
    return not column.size or bool(column.min() >= least and column.max() < beyond)


def _under(prefix: str, columns: Columns) -> Columns:
    return {k.removeprefix(prefix): v for k, v in columns.items() if k.startswith(prefix)}


def _texts(name: str, texts: Sequence[str]) -> Columns:
    """Return texts as one run of UTF-8, and the characters after which each ends."""
    ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
    run = "".join(texts).encode()
    return {f"{name}.utf8": np.frombuffer(run, dtype=np.uint8), f"{name}.end": ends}


def _texts_of(name: str, columns: Mapping[str, NDArray[Any]]) -> list[str]:
    run = columns[f"{name}.utf8"].tobytes().decode()
    bounds = [0, *columns[f"{name}.end"].tolist()]
    return [run[begin:end] for begin, end in pairwise(bounds)]


def _digest(columns: Columns) -> bytes:
    """Return the digest of all columns: names, types, shapes and bytes."""
    digest = hashlib.sha256()
    for name in sorted(columns):
        column = np.ascontiguousarray(columns[name])
        digest.update(f"{name} {column.dtype.str} {column.shape}\n".encode())
        digest.update(column.data.cast("B") if column.size else b"")
    return digest.digest()


def _save(stream: io.BufferedWriter, columns: Columns) -> None:
    """Write an archive without the time of day in it: the same columns give the same bytes."""
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name in sorted(columns):
            entry = zipfile.ZipInfo(f"{name}.npy")
            with archive.open(entry, "w", force_zip64=True) as member:
                np.lib.format.write_array(member, columns[name], allow_pickle=False)


def _load(path: Path) -> Columns:
    """Return the arrays of an archive.

    Raises
    ------
    ValueError
        It is no archive of plain arrays, or damaged.
    """
    try:
        with path.open("rb") as stream, zipfile.ZipFile(stream) as archive:
            return {
                entry.filename.removesuffix(".npy"): _array(archive, entry)
                for entry in archive.infolist()
            }
    except _NO_ARCHIVE as error:
        raise ValueError(path.name) from error


def _array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> NDArray[Any]:
    if entry.compress_type != zipfile.ZIP_STORED:  # as we write it; nothing can unpack to more
        raise zipfile.BadZipFile(entry.filename)
    with archive.open(entry) as member:
        return np.asarray(np.lib.format.read_array(member, allow_pickle=False))
