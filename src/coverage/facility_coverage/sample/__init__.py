"""The embedded sample: a synthetic district, made by a deterministic generator."""
