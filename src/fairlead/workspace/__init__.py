"""From a folder of text to a running deployment, and nothing else: what the parts mean is their packages' business.

    load       a folder -> its text                     compile    text -> a Workspace, or every problem in it
    publish    a Workspace -> the revision in force     published  a revision -> its text, for workers
    changes    what a publish would change              assemble   the composition root
    schemas    JSON Schemas of the files                templates  workspaces to begin with

Import from the modules. Nothing is gathered here, so that completing a name in a shell does not load every package.
"""
