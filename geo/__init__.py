"""Places: boundaries, grids, venues, incidents and their demand."""
