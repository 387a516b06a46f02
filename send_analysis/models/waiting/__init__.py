"""Waiting lists: measures, control charts, queues."""
