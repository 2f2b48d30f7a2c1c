"""Logs that agents and tracers write: one file for every format, on top of the adapters.

A reader of a log takes from it what the model was shown, once: repeated lines, mirrored events
and copies for a screen are left out, and what a compaction did stays with the message after it.
"""
