"""The eight curators of the alpha detector, one file each: `judge(facts, kappa)` returns what it proposes.

`kappa` is the cap of its nudges that night. A proposal lasts a day and is made again while its cause stands.
"""
