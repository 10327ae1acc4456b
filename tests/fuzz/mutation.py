"""Broken files from sound ones: bytes changed as disks, editors and people change them."""

from __future__ import annotations

import numpy as np

#: What people paste, and what programs stumble over.
TOKENS = [
    b"", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\r\n", b"\n\n", b",", b";", b"\t", b"|", b'"', b"'", b"\\", b"{",
    b"}", b"[", b"]", b":", b"- ", b"#", b"&a ", b"*a", b"!!python/object:os.system", b"<<: *a", b"null", b"~", b"NaN",
    b"inf", b"-inf", b"1e999", b"-1", b"0", b"99999999999999999999", b"1,200", "１２０".encode(), "120张".encode(),
    b"=1+1",
    "镇街".encode("gb18030"), "镇街".encode(), b"\x81", b"\xa0", b"../../etc/passwd", b"<script>alert(1)</script>",
    b"true", b"yes", b"0110101", b"2025-13-45", b'"type":"Polygon"', b'"coordinates":[]', b'"coordinates":[[[]]]',
    b"[0,0]", b"[null,null]", b"[1e308,1e308]", b"[105.9,29.3,1e9]", b'"geometry":null', b"path: .", b"id: ",
    b"crs: 4326",
]  # fmt: skip


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """Return `data` with one to three changes: cut out, doubled, turned round, overwritten, cut off or with a token."""
    for _ in range(rng.integers(1, 4)):
        data = _changed(data, rng)
    return data


def _changed(data: bytes, rng: np.random.Generator) -> bytes:
    at = int(rng.integers(0, len(data) + 1))
    stop = min(len(data), at + int(rng.geometric(0.1)))
    match rng.choice(6, p=[0.2, 0.15, 0.2, 0.05, 0.1, 0.3]):
        case 0:
            return data[:at] + data[stop:]
        case 1:
            return data[:stop] + data[at:stop] + data[stop:]
        case 2:
            return data[:at] + rng.bytes(stop - at) + data[stop:]
        case 3:
            return data[:at]
        case 4:
            return data[:at] + data[at:stop][::-1] + data[stop:]
        case _:
            return data[:at] + TOKENS[rng.integers(0, len(TOKENS))] + data[stop:]
