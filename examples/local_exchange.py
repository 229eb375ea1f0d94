# %% [markdown]
# # The local exchange with the official SDK
#
# `lotus exchange` speaks the venue's `/info`, `/exchange` and websocket on loopback, over a recorded or simulated
# market, and matches orders for real. The official SDK runs against it unchanged. Nothing leaves this machine, and
# the money is made up.
#
# Needs `pip install 'lotus-quant[platform]'`: the command and, with it, the SDK.

# %%
import json
import re
import subprocess
import sys
import urllib.request

import eth_account
from hyperliquid.exchange import Exchange
from hyperliquid.info import Info

wallet = eth_account.Account.from_key("0x" + "33" * 32)  # of nobody; the exchange credits it
command = [sys.executable, "-m", "lotus_cli", "exchange", "--port", "0", "--day", "2026-01-05", "--speed", "manual"]
command += ["--account", f"{wallet.address}=5000"]
server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
line = server.stderr.readline()
url = re.search(r"exchange at (\S+);", line)[1]
print("the exchange is up")

# %% [markdown]
# ## Time is yours
#
# With `--speed manual` the market moves when it is told to, so that what follows is the same every time.


# %%
def advance(to_ms: int) -> dict:
    """Play the market up to a time."""
    body = json.dumps({"type": "advance", "toMs": to_ms}).encode()
    asked = urllib.request.Request(f"{url}/lotus", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return json.load(answer)


start_ms = 1_767_600_000_000  # 2026-01-05, 08:00 UTC
print(advance(start_ms + 20_000)["played"], "frames played")

# %% [markdown]
# ## The SDK as it is

# %%
info = Info(url, skip_ws=True)
book = info.l2_snapshot("BTC")["levels"]
bid, ask = float(book[0][0]["px"]), float(book[1][0]["px"])
print(f"BTC {bid:,.0f} / {ask:,.0f}")

# %%
client = Exchange(wallet, url)
resting = client.order("BTC", True, 0.01, bid - 500, {"limit": {"tif": "Gtc"}})
print(resting["response"]["data"]["statuses"])
oid = resting["response"]["data"]["statuses"][0]["resting"]["oid"]
print(client.cancel("BTC", oid)["response"]["data"]["statuses"])

# %% [markdown]
# A market order takes what the book shows; fees are those of the account's tier.

# %%
opened = client.market_open("BTC", True, 0.01)["response"]["data"]["statuses"][0]["filled"]
position = info.user_state(wallet.address)["assetPositions"][0]["position"]
print("bought", opened["totalSz"], "at", opened["avgPx"], "- position", position["szi"])

# %%
advance(start_ms + 60_000)
closed = client.market_close("BTC")["response"]["data"]["statuses"][0]["filled"]
state = info.user_state(wallet.address)
assert state["assetPositions"] == []
print("sold at", closed["avgPx"], "- account", state["marginSummary"]["accountValue"])

# %% [markdown]
# ## Refused in the venue's words

# %%
print(client.order("BTC", True, 0.00001, bid, {"limit": {"tif": "Gtc"}})["response"]["data"]["statuses"])

# %%
server.terminate()
print("ended with", server.wait(30))
