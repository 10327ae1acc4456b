"""Many studies: each in a process of its own, none of them able to stop the others."""
