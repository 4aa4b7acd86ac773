"""What a service has stored, read page by page."""

from collections import Counter

import httpx2


class Stored:
    """A reader of one service."""

    def __init__(self, address):
        self._client = httpx2.Client(base_url=address, timeout=300)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._client.close()

    def totals(self, experiment_id):
        """The impressions of each variant and date; none where the experiment is unknown."""
        rows = self._pages(f"/metrics/{experiment_id}")
        return {(row["variant_id"], row["date"]): row["impressions"] for row in rows}

    def rolled_up(self, experiment_id):
        """The impressions and successes of each variant, over all dates."""
        impressions, successes = Counter(), Counter()
        for row in self._pages(f"/metrics/{experiment_id}"):
            impressions[row["variant_id"]] += row["impressions"]
            successes[row["variant_id"]] += row["successes"]
        return {name: (count, successes[name]) for name, count in impressions.items()}

    def units(self, experiment_id):
        """The variant of each unit that has a stored assignment."""
        rows = self._pages(f"/assignments/{experiment_id}/units")
        return {row["unit_id"]: row["variant_id"] for row in rows}

    def _pages(self, path):
        rows, cursor = [], None
        while True:
            page = self._client.get(path, params={"limit": 1000} | ({"cursor": cursor} if cursor else {}))
            if page.status_code == 404:
                return rows
            rows += page.raise_for_status().json()["items"]
            cursor = page.json()["next_cursor"]
            if cursor is None:
                return rows
