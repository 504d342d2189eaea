"""Pictures as tools of the Model Context Protocol, under `/mcp`, for programs that hold a key.

Doors: `mcp_caller.McpCaller`, which the web's door makes of a key, and `mcp_serving.serve`.
"""
