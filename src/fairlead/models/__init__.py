"""Models: reached through drivers, described in `models:` of the workspace, spoken to in one form that has no vendor.

`types` is that form. `settings.compile_models` turns the workspace's text into models and endpoints,
`registry.open_drivers` opens a driver for each endpoint, `net.http.Http` is the pool of connections that they share.
Nothing is imported here: most of the code only needs the types, and a worker only the drivers that it uses.
"""
