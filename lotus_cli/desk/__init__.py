"""Commands of the desk: daemon and recorder, local exchange, arming, kill switch, decisions, trades."""
