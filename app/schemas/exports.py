"""What became of an imported experiment."""

from pydantic import BaseModel, ConfigDict, Field


class Imported(BaseModel):
    """An experiment that came from another server."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "experiment_id": "homepage_test",
                    "rows": {
                        "experiments": 1,
                        "experiment_versions": 1,
                        "variants": 2,
                        "experiment_metrics": 28,
                    },
                }
            ]
        }
    )

    experiment_id: str
    rows: dict[str, int] = Field(description="How many rows of each table")
