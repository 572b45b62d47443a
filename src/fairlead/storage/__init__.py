"""State: one database, and the few ways in which it is read and written.

Money and record go through `journal`, one group of writes in one transaction (`group` decides, `books` carries out,
`sqlite_journal` speaks SQL). Everything colder goes through `store`. `fleet` and `recover` know the workers, `vault`
the keys, `migrations` the schema's steps. Nothing is imported here, because the hot path needs no SQLAlchemy.
"""
