"""Base models, and the LoRA adapters that fit them: uploaded, checked, shared and made public."""
