"""What people read: maps, tables and the passport of a run."""
