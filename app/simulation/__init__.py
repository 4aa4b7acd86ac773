"""Simulated worlds that run the service's own policies, and evaluation of logs; numpy only, no SQL, no HTTP."""
