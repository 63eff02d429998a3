"""How well stitching found the truth, where it is known. Each measure takes plain values and knows of no shop."""
