"""Write docs/benchmarks/simulation-results.md and its pictures: ``python -m benchmarks.results``."""

import argparse
from importlib.util import find_spec
from pathlib import Path

from benchmarks.results.measured import Measured, Size, measure
from benchmarks.results.page import page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks" / "simulation-results.md"


def draw(measured: Measured, beside: Path) -> dict[str, str]:
    """Draw the daily e-mail race and the telco race into img/ beside the page's folder; return links by world."""
    if find_spec("vl_convert") is None:
        print("pictures: left out, vl-convert-python is not installed")
        return {}
    import vl_convert

    from app.services.simulations import chart

    folder = beside.parent.parent / "img"
    folder.mkdir(exist_ok=True)
    shown = {
        "email": (measured.races["daily"], "Conversions over time, daily batches"),
        "clv": (measured.telco, "Delta CLV over the year"),
    }
    links = {}
    for world, (result, title) in shown.items():
        target = folder / f"results-{world}.png"
        drawn = vl_convert.vegalite_to_png(chart.specification(world, result.to_dict()), scale=1)
        target.write_bytes(drawn)
        links[world] = f"\n![{title}, the mean and 95 % of single runs](../img/{target.name})\n"
    return links


def generate(target: Path, size: Size) -> Measured:
    """Measure everything and write the page."""
    measured = measure(size)
    target.write_text(page(measured, draw(measured, target)))
    return measured


def main() -> None:
    """Write docs/benchmarks/simulation-results.md, or another page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.results", description=__doc__)
    parser.add_argument(
        "--page", type=Path, default=PAGE, help="where to write it; pictures go to img/ beside its folder"
    )
    target = parser.parse_args().page
    generate(target, Size())
    print(f"written to {target}")


if __name__ == "__main__":
    main()
