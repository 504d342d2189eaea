"""LoRA weights of many adapters in slots, so that each row of a batch wears its own.

For the engine alone: `adapter_slots` (AdapterCache, Slots), `lora_weights.LoraWeights`.
"""
