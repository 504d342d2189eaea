"""The review desk: pages and API of the queue and of one case. Nobody imports it."""
