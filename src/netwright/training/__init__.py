"""The one training loop with its strategies and observers, checkpoints, history, optimizers and schedules."""
