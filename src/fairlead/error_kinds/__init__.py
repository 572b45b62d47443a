"""What the errors of the tree are; `fairlead.errors` shows the tree, and is where everybody imports them from."""
