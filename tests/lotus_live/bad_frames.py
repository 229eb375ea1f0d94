"""Frames that no decoder likes."""

DEEP = b"[" * 1_100 + b"]" * 1_100


POISON = (
    b'{"channel":"x","data":' + DEEP + b"}",
    b'{"channel":"lotus.control","data":{"detectors":' + DEEP + b"}}",
    b'{"channel":"error","data":' + DEEP + b"}",
    b'{"channel":"subscriptionResponse","data":{"method":"subscribe","subscription":"x"}}',
    b'{"channel":"subscriptionResponse","data":{"method":"subscribe","subscription":' + DEEP + b"}}",
    b'{"channel":"trades","data":[{"coin":"\xff","odd":1}]}',
    b'{"channel":"bbo","data":{"coin":"BTC","time":1,"bbo":' + b'{"a":' * 1_100,
    b"\xff\xfe",
)
