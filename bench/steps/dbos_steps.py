"""Plain DBOS: a workflow of steps in threads, `at_once` workflows at the same time. Its file is put into write-ahead
mode first, as Fairlead does: by default it is not, and DBOS is several times slower then."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from dbos import DBOS
from job import Job, Model, given, next_number, timed


def url_of(job: Job) -> str:
    if job.storage:
        return job.storage
    path = Path(job.folder) / "dbos.db"
    with closing(sqlite3.connect(path)) as made:
        made.execute("PRAGMA journal_mode=WAL")  # `synchronous` stays FULL, SQLite's default
    return f"sqlite:///{path}"


def main() -> None:
    job = given()
    DBOS(config={"name": "steps", "system_database_url": url_of(job), "log_level": "ERROR"})
    work = Model(job.upstream).ask if job.upstream else next_number

    @DBOS.step()
    def step(number: int) -> int:
        return work(number)

    @DBOS.workflow()
    def run(number: int) -> int:
        for _ in range(job.steps):
            number = step(number)
        return number

    DBOS.launch()

    def all_of(runs: int) -> None:
        with ThreadPoolExecutor(job.at_once) as threads:
            assert list(threads.map(run, range(runs))) == [job.steps + each for each in range(runs)]

    all_of(1)
    timed(lambda: all_of(job.runs))
    DBOS.destroy()


if __name__ == "__main__":
    main()
