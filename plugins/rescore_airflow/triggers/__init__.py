"""The asynchronous loops behind the sensors."""
