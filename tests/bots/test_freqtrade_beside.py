"""The real Freqtrade with examples/freqtrade_beside_lotus.py: lessons of a home, over the windows that its pages give.

The pages are the console over a ledger with the windows of two hours; rules in force and their tables are exported as
`lotus export lessons` does. `environments.py` builds what Freqtrade needs.
"""

from bot_worlds import ROOT

PAIRS = ("BTC/USDT:USDT", "ETH/USDT:USDT")
MINUTES, TOKEN = 120, "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
STRATEGY = ROOT / "examples" / "freqtrade_beside_lotus.py"
