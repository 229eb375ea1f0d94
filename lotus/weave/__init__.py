"""From lessons to bounded priors: braids, composition, contraction, lifecycle."""
