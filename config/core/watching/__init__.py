"""What is counted and told of the house and of each of its processes; knows no domain.

Doors: `instruments` (what a process counts), `house_gauges` (what the database knows),
`request_ids`,
`tracing`.
"""
