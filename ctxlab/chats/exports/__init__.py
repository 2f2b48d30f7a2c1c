"""Exports of products and the layouts of data sets: one file for every format."""
