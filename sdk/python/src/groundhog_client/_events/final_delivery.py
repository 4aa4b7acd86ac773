"""Delivering by blocking what an asynchronous sender holds when the process ends: no event loop runs then."""

import time

from groundhog_client._events.event_buffer import CLOSING_RETRY, EventBuffer
from groundhog_client._events.event_sender import OnRejected, SendBatch, outcome_of, report_rejections


def deliver_remaining(buffer: EventBuffer, send: SendBatch, on_rejected: OnRejected) -> None:
    """Send what a buffer holds, until it is empty or the time for the last events (``deliver_within``) is up."""
    until = time.monotonic() + buffer.batching.deliver_within
    buffer.close_within(CLOSING_RETRY)
    while len(buffer):
        wait = buffer.seconds_until_due(hurry=True)
        if time.monotonic() + wait > until:
            return
        time.sleep(wait)
        batch = buffer.batch()
        report_rejections(on_rejected, buffer.settle(batch, outcome_of(send, batch)))
