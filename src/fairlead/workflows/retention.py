"""Deleting runs that ended long ago."""

from fairlead.storage.store import Store


def forget_ended(store: Store, before: int) -> None:
    """Delete what ended before then (milliseconds since 1970), a few runs at a time: nobody waits long for it. One
    process does it for all. Blocking: call it in a thread."""
    from fairlead.storage import workflow_rows as table

    with store.database.elected("workflows.retention") as mine:
        count = total = table.BATCH if mine else 0
        while count == table.BATCH:
            with store.writing() as connection:
                store.database.wipe(connection)
                count = table.forget(connection, before)
            total += count
        if total > table.BATCH:  # something was deleted
            with store.writing() as connection:
                table.forget_definitions(connection, before)
