"""Write the starter model's pretrained text encoder from the package that carries its weights.

    python -m generation.starter.prepare

`make install` does it once, and again when the language layers above the encoder change: 250 MB
that the repository need not hold.
"""

from __future__ import annotations

from generation.starter.layout import LANGUAGE, MODEL
from generation.starter.networks import text_encoder
from generation.starter.networks.text_encoder import EncoderUnreadable


def main() -> None:
    """Writes `text_encoder/` and `tokenizer/`; exits with a sentence where the package fails it."""
    try:
        text_encoder.write(MODEL, LANGUAGE)
    except EncoderUnreadable as error:
        raise SystemExit(f"The starter model's text encoder cannot be written: {error}") from error
    except OSError as error:
        raise SystemExit(
            f"The starter model's text encoder cannot be written: {error.strerror or error}."
        ) from error


if __name__ == "__main__":
    main()
