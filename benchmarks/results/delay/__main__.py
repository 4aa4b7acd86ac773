"""Print the section of the page that is about delays."""

from benchmarks.results.delay.lifts import measure_delays
from benchmarks.results.delay.section import delay_tables

RUNS = 30


def main() -> None:
    """Play the campaigns and print the tables."""
    lifts = measure_delays(RUNS, lambda *_: None)
    print("\n\n".join(delay_tables(lifts).values()))


if __name__ == "__main__":
    main()
