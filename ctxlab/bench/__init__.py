"""The bench: grids of trials, their results, leaderboards, explanations."""
