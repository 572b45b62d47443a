"""The demonstration: a working day of an invented company, run for real and told as a story.

Nothing here is part of a deployment. `company` sets the scene, `stand_in` plays the cloud vendors, `scenes` is what
happens, `story` tells it.
"""
