"""Other people's messages in, the same out: one file for every API and framework.

What all share is small: a peer's messages become pieces (`ctxlab.chats.pieces`), pieces are
fitted into a budget as a `Plan` says, and what is left is put back into the peer's own objects.
What was not changed comes back as the very object that was given.
"""
