"""From scored windows to honest lessons: scores, cubes, search, gates and grades."""
