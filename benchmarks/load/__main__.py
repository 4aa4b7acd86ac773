"""Load the service by itself: ``python -m benchmarks.load soak --minutes 10`` or ``... curve``."""

import argparse
from pathlib import Path

from benchmarks.attachments import Attachment
from benchmarks.load import latency_curve, soak


def main() -> None:
    """Measure one of the two and print what comes out."""
    arguments = _arguments()
    if arguments.what == "curve":
        found = latency_curve.measure()
    else:
        taken = soak.take(arguments.minutes, arguments.rate, arguments.workers, arguments.warm_up)
        if arguments.save:
            soak.save(taken)
        found = soak.shown(taken)
    for one in found:
        print(one.line(), flush=True)
        if arguments.pictures and isinstance(one, Attachment):
            one.draw(arguments.pictures)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="draw the pictures into it")
    what = parser.add_subparsers(dest="what", required=True)
    what.add_parser("curve", help="latency against rate, up to saturation, for one and two workers")
    one = what.add_parser("soak", help="what grows under mixed traffic")
    one.add_argument("--minutes", type=float, default=10)
    one.add_argument("--rate", type=float, default=soak.RATE, help="requests per second")
    one.add_argument("--workers", type=int, default=soak.WORKERS)
    one.add_argument("--warm-up", type=float, default=soak.WARM_UP_SECONDS, metavar="SECONDS")
    one.add_argument("--save", action="store_true", help="save it for docs/benchmarks/performance.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
