"""The files of an experiment's artifacts."""
