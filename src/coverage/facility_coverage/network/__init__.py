"""How people move: graph, snapping and travel times."""
