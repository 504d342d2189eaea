"""What steers a request beside its prompt: the picture that it starts from, and what stays of it.

Doors: `wanted_images` and `stored_uploads` when it is taken in, `init_images` and `masks` for the
worker.
"""
