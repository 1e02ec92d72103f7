"""Plans: travel times, patrols, inspections, and their verification."""
