"""What an account may do: `restrictions` (suspended or not), `audiences` (which policy judges it),
`erasing`.
"""
