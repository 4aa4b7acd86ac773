"""Mixed load on the service: a curve of latency against rate, and a soak that looks for what grows.

The generator is an open loop: requests are due at random moments of a given rate, whether earlier ones were
answered or not, and a request's latency counts from the moment it was due. A client that waits for an answer
before it asks again (as wrk does) sends less while the service is slow, and so leaves out exactly the slow
moments: coordinated omission. It is Python, not wrk with a script, because wrk takes no times to send at; on
asyncio's transports and httptools a request costs it a tenth of what it costs the service.
"""
