"""AUTOMATIC1111's API under `/sdapi/v1/`, as its clients really use it."""
