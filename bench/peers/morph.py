"""Peer of bench/morph.mjs: opening 2 + dilation 5 of a mask with scipy, one thread, on a padded array as odc-algo does it.

Protocol: reads lines `SIZE FILE` (u8[SIZE][SIZE]) and, after each, lines `run`; answers the first with one line of JSON with the
SHA-256 of each peer's result, and each `run` with one of the Mpx/s of one measurement per peer. Needs numpy and scipy.
"""

import hashlib
import json
import sys
import time

import numpy
from scipy import ndimage

PAD = 2 + 2 + 5


def distance(mask):
    """Erosion and dilation by thresholds of the Euclidean distance transform."""
    padded = numpy.pad(mask, PAD)
    eroded = ndimage.distance_transform_edt(padded) > 2
    opened = ndimage.distance_transform_edt(~eroded) <= 2
    dilated = ndimage.distance_transform_edt(~opened) <= 5
    return dilated[PAD:-PAD, PAD:-PAD]


def disk(radius):
    y, x = numpy.mgrid[-radius : radius + 1, -radius : radius + 1]
    return x * x + y * y <= radius * radius


def binary(mask):
    """scipy's binary operations with disks."""
    padded = numpy.pad(mask, PAD)
    opened = ndimage.binary_opening(padded, structure=disk(2))
    return ndimage.binary_dilation(opened, structure=disk(5))[PAD:-PAD, PAD:-PAD]


PEERS = {"scipy distance": distance, "scipy binary": binary}


def mpx_per_second(work, mask):
    start = time.perf_counter()
    work(mask)
    return mask.size / (time.perf_counter() - start) / 1e6


def main():
    mask = None
    for line in sys.stdin:
        words = line.split(maxsplit=1)
        if words[0] == "run":
            answer = {name: mpx_per_second(work, mask) for name, work in PEERS.items()}
        else:
            size = int(words[0])
            mask = numpy.fromfile(words[1].strip(), dtype=numpy.uint8).reshape(size, size).astype(bool)
            answer = {
                name: hashlib.sha256(numpy.ascontiguousarray(work(mask), dtype=numpy.uint8).tobytes()).hexdigest()
                for name, work in PEERS.items()
            }
        print(json.dumps(answer), flush=True)


main()
