"""What operators run: the shipped model is registered by `builtin_models`, for the commands."""
