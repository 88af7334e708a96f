"""The checks, one file per subject; each brings the fault it is proven to find."""
