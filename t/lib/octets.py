"""Bytes."""


def to_bytes(data):
    return data.encode() if isinstance(data, str) else bytes(data)
