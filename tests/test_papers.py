"""What the papers say is what the code does."""

import re
from pathlib import Path

from app.settings import Settings

ROOT = Path(__file__).resolve().parents[1]


def names_of_settings():
    return {
        "DATABASE_URL" if name == "database_url" else f"GROUNDHOG_{name.upper()}"
        for name in Settings.model_fields
    }


def test_the_example_environment_names_every_setting_and_no_other():
    lines = (ROOT / ".env.example").read_text().splitlines()
    named = {match[1] for line in lines if (match := re.match(r"#?([A-Z_]+)=", line))}
    assert named == names_of_settings()


def test_the_example_environment_shows_the_defaults():
    example = ROOT / ".env.example"
    assert Settings(_env_file=example, home=Path("x")) == Settings(_env_file=None, home=Path("x"))


def test_the_readme_lists_every_setting():
    named = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert named == names_of_settings()
