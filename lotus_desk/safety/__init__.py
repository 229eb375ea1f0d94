"""What holds trading back: kill switch, gate before real orders, arming, heartbeat, interlock."""
