"""What the starter is made of: autoencoder, text encoder, tokenizer, U-Net; stock classes all."""
