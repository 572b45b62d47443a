"""The door of the Model Context Protocol: exactly the tools that its caller may use."""
