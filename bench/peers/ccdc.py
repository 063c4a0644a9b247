"""PyCCD (lcmap-pyccd 2018.10.17) on a chip, for bench/ccdc.mjs: answers each line "first count" with seconds, "save FILE" with its results.

The chip is three files: dates i32[nTime], bands i16[nTime][7][nPx], qa u16[nTime][nPx]. Numpy dropped the alias np.bool after PyCCD was
written, and its default sort is not stable: both are mended while it runs, the installed files stay as they are.
"""
import json
import sys
import time
import warnings

import numpy as np


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


FMASK = {"QA_BITPACKED": False, "QA_FILL": 255, "QA_CLEAR": 0, "QA_WATER": 1, "QA_SHADOW": 2, "QA_SNOW": 3, "QA_CLOUD": 4}


def main():
    prefix, bitpacked = sys.argv[1], sys.argv[2] == "packed"
    warnings.simplefilter("ignore")
    dates = np.fromfile(f"{prefix}.dates", dtype="<i4")
    qa = np.fromfile(f"{prefix}.qa", dtype="<u2").reshape(len(dates), -1)
    bands = np.fromfile(f"{prefix}.bands", dtype="<i2").reshape(len(dates), 7, -1)
    ccd = pyccd()
    params = {} if bitpacked else FMASK
    print("ready", flush=True)
    for line in sys.stdin:
        first, count = map(int, line.split()[:2])
        results = []
        start = time.perf_counter()
        for px in range(first, first + count):
            results.append(ccd.detect(dates, *(bands[:, b, px] for b in range(7)), qa[:, px], params=params))
        seconds = time.perf_counter() - start
        starts = [[model["start_day"] for model in result["change_models"]] for result in results]
        print(json.dumps({"seconds": seconds, "starts": starts}), flush=True)


if __name__ == "__main__":
    main()
