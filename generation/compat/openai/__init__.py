"""The OpenAI Images, Models and Moderations API under `/v1/`."""
