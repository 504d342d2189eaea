"""What the starter is taught from: emoji pictures, compositions of them, and their captions."""
