"""One picture at a time: matplotlib's settings and fonts are those of the process, and stages run on two threads."""

import threading

DRAWING = threading.RLock()
