"""LangGraph: a graph of nodes in a row with its own saver of checkpoints, durability "sync", `at_once` threads."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypedDict

from job import Job, Model, given, next_number, timed
from langgraph.graph import END, START, StateGraph


class State(TypedDict):
    number: int


@contextmanager
def saver_of(job: Job) -> Iterator[Any]:
    if not job.storage:
        from langgraph.checkpoint.sqlite import SqliteSaver

        # It goes into write-ahead mode by itself; `synchronous` stays FULL, SQLite's default.
        connection = sqlite3.connect(Path(job.folder) / "langgraph.db", check_same_thread=False)
        yield SqliteSaver(connection)
        connection.close()
        return
    from langgraph.checkpoint.postgres import PostgresSaver
    from psycopg.rows import dict_row
    from psycopg_pool import ConnectionPool

    more = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    with ConnectionPool(job.storage, min_size=job.at_once, max_size=job.at_once, kwargs=more) as pool:
        yield PostgresSaver(pool)


def main() -> None:
    job = given()
    work = Model(job.upstream).ask if job.upstream else next_number

    def node(state: State) -> State:
        return {"number": work(state["number"])}

    graph: Any = StateGraph(State)
    names = [f"s{at}" for at in range(job.steps)]
    for name in names:
        graph.add_node(name, node)
    for before, after in zip([START, *names], [*names, END], strict=True):
        graph.add_edge(before, after)
    with saver_of(job) as saver:
        saver.setup()
        compiled = graph.compile(checkpointer=saver)

        def run(number: int) -> int:
            about = {"configurable": {"thread_id": f"run-{number}"}, "recursion_limit": job.steps + 5}
            found: int = compiled.invoke({"number": number}, about, durability="sync")["number"]
            return found

        def all_of(runs: range) -> None:
            with ThreadPoolExecutor(job.at_once) as threads:
                assert list(threads.map(run, runs)) == [job.steps + each for each in runs]

        all_of(range(1_000_000, 1_000_001))
        timed(lambda: all_of(range(job.runs)))


if __name__ == "__main__":
    main()
