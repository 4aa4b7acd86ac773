"""The Prometheus series that requests move; those read from the database are in services/prometheus.py."""

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("groundhog_http_requests_total", "Requests answered", ["method", "route", "status"])
DURATION = Histogram(
    "groundhog_http_request_duration_seconds",
    "Time from a request's first byte to its response's last",
    ["method", "route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
IN_PROGRESS = Gauge(
    "groundhog_http_requests_in_progress", "Requests being answered", multiprocess_mode="livesum"
)
DAILY_METRICS_ROWS = Counter(
    "groundhog_daily_metrics_rows_total", "Daily totals received, by outcome", ["outcome"]
)
EVENTS_RECEIVED = Counter("groundhog_events_total", "Events received, by status", ["status"])
ALLOCATIONS_SERVED = Counter(
    "groundhog_allocations_total",
    "Allocations served: computed, recorded, cache, or stale while PostgreSQL is unavailable",
    ["source"],
)
ALLOCATION_SECONDS = Histogram(
    "groundhog_allocation_compute_seconds",
    "Time to read the totals and compute one allocation",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)
REVISIONS = Counter("groundhog_allocation_revisions_total", "Revisions recorded")
REPLICA_READS = Counter(
    "groundhog_replica_reads_total",
    "Reads that may use the replica, by server: replica; primary, where the replica is behind or a revision is"
    " to be recorded; away, where the replica is unavailable",
    ["served_by"],
)
REPLICA_UP = Gauge(
    "groundhog_replica_up",
    "1 while the read replica answers, 0 while it is unavailable",
    ["host"],  # no series where there is no replica
    multiprocess_mode="livemin",
)
POOL_IN_USE = Gauge(
    "groundhog_database_pool_connections_in_use",
    "Database connections of the pool in use",
    multiprocess_mode="livesum",
)
POOL_SIZE = Gauge("groundhog_database_pool_size", "Size of the connection pools", multiprocess_mode="livesum")
