"""Read experiments' versions as they are now, those of many concurrent readers with one statement."""

from collections.abc import Sequence

from app.storage.batched_statement import BatchedStatement, Connection
from app.storage.database import Database

VERSIONS_SQL = "select experiment_id, version from experiment_versions where experiment_id = any(%s)"
TIMEOUT_SECONDS = 5


class VersionReader:
    """An answer cached in memory is served only while its version is the one read after the request arrived."""

    def __init__(self, database: Database) -> None:
        self._versions = BatchedStatement(database, _read, seconds=TIMEOUT_SECONDS)

    async def read(self, experiment_id: str) -> int | None:
        """Return the experiment's version, or None where there is no such experiment.

        Raises
        ------
        Unavailable: the database cannot be reached
        """
        return (await self._versions.run((experiment_id,))).get(experiment_id)

    async def close(self) -> None:
        """Close the connection."""
        await self._versions.close()


async def _read(connection: Connection, experiment_ids: Sequence[str]) -> dict[str, int]:
    cursor = await connection.execute(VERSIONS_SQL, (list(dict.fromkeys(experiment_ids)),))
    return dict(await cursor.fetchall())
