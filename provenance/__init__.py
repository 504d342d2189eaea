"""Where every image came from: watermark, manifest, fingerprint, log, and the page that checks."""
