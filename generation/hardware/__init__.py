"""Which hardware takes a request: queues, worker processes, and the device of this one.

Doors: `hardware_queues` (queue_of, waiting_in), `worker_processes` (alive, announcer), `devices`
(engine_for, vitals; loads torch), `memory_plans` (judge_here, judge_tier; loads torch).
"""
