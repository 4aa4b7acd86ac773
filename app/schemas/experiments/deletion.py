"""The deletion of an experiment on the wire."""

from pydantic import BaseModel, ConfigDict


class Deletion(BaseModel):
    """What was deleted with an experiment, in rows."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "experiment_id": "homepage_test",
                    "variants": 3,
                    "daily_metrics": 90,
                    "allocations": 31,
                    "assignments": 12000,
                    "events": 19500,
                }
            ]
        }
    )

    experiment_id: str
    variants: int
    daily_metrics: int
    allocations: int
    assignments: int
    events: int

    def summary(self) -> str:
        """Return the numbers of rows in words, for messages."""
        return (
            f"{self.variants:,} variants, {self.daily_metrics:,} daily totals, {self.allocations:,} recorded"
            f" allocations, {self.assignments:,} assignments and {self.events:,} events"
        )
