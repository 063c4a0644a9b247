"""PyCCD (lcmap-pyccd 2018.10.17) on pixels, for bench/ccdc.mjs. A line on stdin asks for one run, a line on stdout answers.

Requests: "PREFIX SCHEME PX PX …" runs those pixels of the chip in PREFIX.dates i32[nTime], PREFIX.bands i16[nTime][7][nPx] and PREFIX.qa
u16[nTime][nPx], SCHEME pyccd or fmask; answers JSON with the seconds and the start days of each pixel's segments.

Numpy dropped the alias np.bool after PyCCD was written, and its default sort is not stable: both are mended while it runs, the
installed files stay as they are.
"""
import json
import sys
import time
import warnings

import numpy as np

FMASK = {"QA_BITPACKED": False, "QA_FILL": 255, "QA_CLEAR": 0, "QA_WATER": 1, "QA_SHADOW": 2, "QA_SNOW": 3, "QA_CLOUD": 4}


class Mended:
    """numpy as PyCCD knew it, with stable sorts."""

    bool = bool

    def __getattr__(self, name):
        return getattr(np, name)

    @staticmethod
    def argsort(values):
        return np.argsort(values, kind="stable")


def pyccd():
    import ccd
    import ccd.change
    import ccd.math_utils

    for module in (ccd, ccd.change, ccd.math_utils):
        module.np = Mended()
    return ccd


def read(prefix):
    dates = np.fromfile(f"{prefix}.dates", dtype="<i4")
    qa = np.fromfile(f"{prefix}.qa", dtype="<u2").reshape(len(dates), -1)
    return dates, np.fromfile(f"{prefix}.bands", dtype="<i2").reshape(len(dates), 7, -1), qa


def main():
    warnings.simplefilter("ignore")
    ccd = pyccd()
    chips = {}
    print("ready", flush=True)
    for line in sys.stdin:
        prefix, scheme, *pixels = line.split()
        if prefix not in chips:
            chips[prefix] = read(prefix)
        dates, bands, qa = chips[prefix]
        params = FMASK if scheme == "fmask" else {}
        results = []
        start = time.perf_counter()
        for px in map(int, pixels):
            results.append(ccd.detect(dates, *(bands[:, b, px] for b in range(7)), qa[:, px], params=params))
        seconds = time.perf_counter() - start
        starts = [[int(model["start_day"]) for model in result["change_models"]] for result in results]
        print(json.dumps({"seconds": seconds, "starts": starts}), flush=True)


if __name__ == "__main__":
    main()
