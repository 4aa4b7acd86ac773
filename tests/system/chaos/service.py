"""A service with an embedded PostgreSQL, both of which can be killed."""

import os
import signal

from tests.support.processes import postmaster
from tests.support.service_process import ServiceProcess
from tests.system.scaling.ports import free_port


class Running(ServiceProcess):
    """A service on a port that stays the same over its restarts; it is started at once.

    Parameters
    ----------
    home : the home of its embedded PostgreSQL, unless ``settings`` name a DATABASE_URL
    log, settings : as of every service process

    """

    def __init__(self, home, log=None, **settings):
        self.home = home
        environment = {"GROUNDHOG_HOME": str(home), "GROUNDHOG_LOG_LEVEL": "error", **settings}
        super().__init__(port=free_port(), log=log, **environment)
        self.start()

    def terminate(self):
        return self.stop(signal.SIGTERM)[0]

    def kill_postgres(self):
        os.kill(postmaster(self.home), signal.SIGKILL)
