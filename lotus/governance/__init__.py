"""Who is given compute and votes: credit of experts and braids, costs, and the weekly allocation of what is scarce."""
