"""What the API reads and writes. A serializer checks types; the domain checks everything else."""
