"""The words of ctxlab as types, and the two abstractions: strategies and metrics."""
