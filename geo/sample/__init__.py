"""The sample city: synthetic streets, places and reports inside real county polygons.

`make_city` makes it, the same every time; `populate` scatters the same kinds of points on any
other streets.
"""

from geo.sample.city import make_city
from geo.sample.populate import Sample, populate

__all__ = ["Sample", "make_city", "populate"]
