"""Pictures as tools of the Model Context Protocol, under `/mcp`, for programs that hold a key.

Doors: `mcp_caller.McpCaller`, which `config.web.mcp_door` makes of a key, and `mcp_serving.serve`.
"""
