"""ctxlab."""
