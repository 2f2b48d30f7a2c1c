"""Plain functions on strings: terms, sentences, clipping, the layout of JSON."""
