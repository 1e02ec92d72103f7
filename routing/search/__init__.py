"""Ruin-and-recreate for coupled routes: integers in, integers out, the same for the same seed.

`arrays` names what the kernels read and write, `kernels` holds every numba function (one file:
numba's cache notices a change of a function's own file only), `anneal` runs them in blocks.
"""
