"""From outputs to answers and back: what each kind of output trains on, answers, scores and is compared with."""
