"""A model from its folder to a device, and what of the device's memory it takes.

Others call `memory_need` and `quantization`; `loaded_model` is the engine's.
"""
