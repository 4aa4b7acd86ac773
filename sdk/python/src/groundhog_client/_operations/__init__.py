"""One function per operation of the service, returning the request to send; nothing here sends it."""
