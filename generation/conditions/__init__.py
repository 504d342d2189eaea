"""What steers a request beside its prompt: the picture that it starts from.

Door: `init_images` (resolve, stored and attach when taken in; load for the worker; erase).
"""
