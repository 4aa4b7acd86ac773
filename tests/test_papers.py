"""What the papers say is what the code does."""

import json
import re
import shlex
from pathlib import Path

from app.settings import Settings

ROOT = Path(__file__).resolve().parents[1]


def names_of_settings():
    return {
        name.upper() if name.endswith("database_url") else f"GROUNDHOG_{name.upper()}"
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


def rounded(text):
    """JSON with figures to 9 decimals: the last bits may differ by processor."""
    return json.loads(text, parse_float=lambda figure: round(float(figure), 9))


def curl_lines():
    """The README's curl lines, each with the JSON that is said to come of it (None where none is shown)."""
    readme = (ROOT / "README.md").read_text()
    blocks = re.findall(r"```sh\n(curl .*?)\n```(?:\n+```json\n(.*?)\n```)?", readme, re.DOTALL)
    return [(command, rounded(answer) if answer else None) for command, answer in blocks]


def test_the_curl_lines_of_the_readme_give_the_answers_it_shows(client):
    shown = 0
    for command, answer in curl_lines():
        words = shlex.split(command)
        url = next(word for word in words if word.startswith("http")).removeprefix("http://localhost:8000")
        method = words[words.index("-X") + 1] if "-X" in words else "GET"
        if "--data-binary" in words:
            continue  # sends a file of the reader's own
        headers = dict([words[words.index("-H") + 1].split(": ")]) if "-H" in words else {}
        body = words[words.index("-d") + 1] if "-d" in words else None
        found = client.request(method, url, content=body, headers=headers)
        assert found.status_code == 200, found.text
        if answer is not None:
            assert rounded(found.text) == answer
            shown += 1
    assert shown >= 2
