"""Rules of segments: SQL over the read model, held against plain Python."""
