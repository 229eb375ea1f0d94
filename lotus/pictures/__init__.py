"""Pictures of lessons: forest plot, calibration curve, life line, heat map, drawn the same for reports and assets.

Numbers in, SVG text or PNG bytes out. The plotting library is imported when the first picture is drawn; what is drawn
is computed by `lotus.learning.views`.
"""
