"""One module per revision. Released ones never change: a later one alters what they made."""
