"""Pictures: a study's map on paper, drawn by Matplotlib from what its page carries."""
