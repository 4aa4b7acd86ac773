"""Pages for people: the dashboard, the API's two documentation pages and their files; no business logic."""
