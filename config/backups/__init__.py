"""Backups of a house, and a house out of a backup. Doors: `backing_up`, `restoring`,
`restored_house`.
"""
