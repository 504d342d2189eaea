"""What a request passes before and around Django: bounds, policies, early answers."""
