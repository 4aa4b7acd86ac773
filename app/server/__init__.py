"""The process around the application: launcher, signals, sockets; nothing that knows an experiment."""
