"""What the world holds: boundaries, people, facilities and roads, in one metric reference system."""
