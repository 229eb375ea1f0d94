"""Whether learning helps and who is given compute: fixtures, KPIs, credit, costs, and the weekly allocation."""
