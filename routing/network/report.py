"""What cleaning a street frame found and left out."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkReport:
    """What cleaning found and left out, counted on the streets as given.

    Attributes
    ----------
    n_nodes, n_segments, length
        Of all streets longer than `SHORTEST_M`, twins joined; metres.
    n_nodes_outside, n_segments_outside, length_outside
        Outside the largest part in which a car gets from anywhere to anywhere; metres.
    n_segments_dropped : int
        Of these, segments that no mode can use: they are gone from the network.
    n_parts : int
        Parts that no street joins, one-ways ignored.
    n_twins : int
        One-way segments that are another one's line the other way: joined into one two-way segment.
    n_zero_length, n_loops, n_parallel : int
        Segments without length (dropped); that end where they begin; that join two nodes another
        segment joins already (both kept: only the faster one carries a route).
    n_unnamed, length_unnamed
        Kept segments without a name; metres.
    n_joined, longest_join
        Places at which parts were joined because the user asked for it; metres of the longest gap.
    corridors_unknown : tuple of str
        Streets with a green wave in the profile that no segment is called after.
    """

    n_nodes: int
    n_segments: int
    length: float
    n_nodes_outside: int
    n_segments_outside: int
    length_outside: float
    n_segments_dropped: int
    n_parts: int
    n_twins: int
    n_zero_length: int
    n_loops: int
    n_parallel: int
    n_unnamed: int
    length_unnamed: float
    profile_version: str
    n_joined: int = 0
    longest_join: float = 0.0
    corridors_unknown: tuple[str, ...] = ()

    def findings(self) -> tuple[tuple[str, dict[str, object]], ...]:
        """Return message codes and parameters of what a planner should know."""
        found: list[tuple[str, dict[str, object]]] = [
            ("network.profile", {"version": self.profile_version})
        ]
        if self.n_nodes_outside:
            outside = {
                "n": self.n_nodes_outside,
                "total": self.n_nodes,
                "percent": f"{100 * self.n_nodes_outside / self.n_nodes:.1f}",
                "n_segments": self.n_segments_outside,
                "km": f"{self.length_outside / 1000:.1f}",
            }
            found.append(("network.outside", outside))
        if self.n_twins:
            found.append(("network.twins", {"n": self.n_twins}))
        if self.n_zero_length:
            found.append(("network.zero_length", {"n": self.n_zero_length}))
        if self.n_unnamed:
            unnamed = {"n": self.n_unnamed, "km": f"{self.length_unnamed / 1000:.1f}"}
            found.append(("network.unnamed", unnamed))
        if self.n_joined:
            joined = {"n": self.n_joined, "metres": f"{self.longest_join:.1f}"}
            found.append(("network.joined", joined))
        if self.corridors_unknown:
            found.append(("network.corridors", {"names": self.corridors_unknown}))
        return tuple(found)
