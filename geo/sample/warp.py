"""One smooth map from the straight frame of a town to the plane.

Streets are drawn and noded in a straight frame (u, v) and then bent all at once. The map is a
homeomorphism, so the net's topology survives; it is nearly conformal, so corners stay square.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from geo.sample import exact
from geo.sample.exact import Floats
from geo.sample.seats import Seat
from geo.sample.stream import Stream

_STRETCH: Final = 1.6
"""The imaginary part is held here, where cosh is still tame: beyond it the bend grows no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """A term a L sin(e^ik z / L + g) of the map z + ... of the complex plane.

    Attributes
    ----------
    length : float
        L, metres.
    direction : float
        k, radians.
    amplitude : float
        a; streets turn by about asin(a).
    phase : float
        g, radians.
    """

    length: float
    direction: float
    amplitude: float
    phase: float

    def shift(self, uv: Floats) -> Floats:
        """Return the displacement of points, metres, shape (n, 2)."""
        along = exact.turned(uv, np.degrees(self.direction))
        x = along[..., 0] / self.length + self.phase
        y = np.clip(along[..., 1] / self.length, -_STRETCH, _STRETCH)
        wave = np.stack([exact.sin(x) * exact.cosh(y), exact.cos(x) * exact.sinh(y)], axis=-1)
        return np.asarray(self.amplitude * self.length * wave)


@dataclass(frozen=True, slots=True, kw_only=True)
class Warp:
    """The map of one town.

    Attributes
    ----------
    waves : tuple of Wave
    ripple : (float, float)
        Phases of a wave of 9 m, so that no street is a ruler's line.
    turn : float
        Degrees, counter-clockwise.
    centre : ndarray of float64, shape (2,)
        The town's centre in the plane, metres.
    """

    waves: tuple[Wave, ...]
    ripple: tuple[float, float]
    turn: float
    centre: Floats

    def __call__(self, uv: Floats) -> Floats:
        """Return points of the plane on the noding grid, metres, shape (n, 2)."""
        u, v = uv[..., 0], uv[..., 1]
        bent = uv + 9.0 * np.stack(
            [
                exact.sin((u - v) / 280.0 + self.ripple[0]),
                exact.sin((u + v) / 260.0 + self.ripple[1]),
            ],
            axis=-1,
        )
        for wave in self.waves:
            bent = bent + wave.shift(uv)
        return np.asarray(np.round(exact.turned(bent, self.turn) + self.centre, 1))


def make_warp(seat: Seat, centre: Floats, stream: Stream) -> Warp:
    """Draw the map of a town: two conformal waves as long as the town, sectors up to 15° apart."""
    # Phases near a quarter turn: the centre is turned but neither swollen nor shrunk.
    phase = np.pi / 2.0 + stream.uniforms(2, -0.5, 0.5)
    ripple = stream.uniforms(2, 0.0, 2.0 * np.pi)
    return Warp(
        waves=(
            Wave(length=0.95 * seat.half_u, direction=0.0, amplitude=0.17, phase=phase[0]),
            Wave(length=0.62 * seat.half_u, direction=0.9, amplitude=0.085, phase=phase[1]),
        ),
        ripple=(float(ripple[0]), float(ripple[1])),
        turn=seat.turn,
        centre=centre,
    )
