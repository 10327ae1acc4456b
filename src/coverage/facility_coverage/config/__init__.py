"""What the user asks for: studies, plans and travel profiles, read from YAML."""
