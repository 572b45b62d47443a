"""What servers of models on this machine tell of themselves: bodies as real ones send them."""

from fairlead.models.local_servers import USUAL, Served, read

PULLED, LISTED = USUAL[0], USUAL[1]


def test_the_server_s_own_word_counts_more_than_where_it_listens() -> None:
    body = (
        b'{"models":[{"name":"tiny","model":"tiny","size":"","digest":""}],"object":"list","data":[{"id":"tiny",'
        b'"created":1795311610,"owned_by":"llamacpp","meta":{"n_vocab":774,"n_params":493696,"size":1974784}}]}'
    )
    found = read(USUAL[2], body)
    assert (found.runtime, found.models) == ("llama.cpp", (Served("tiny", "493696-1974784-774"),))


def test_pulled_models_are_known_by_their_digest() -> None:
    body = (
        b'{"models":[{"name":"llama3.2:latest","model":"llama3.2:latest","size":2019393189,"digest":"a80c4f17acd5"}]}'
    )
    assert read(PULLED, body).models == (Served("llama3.2:latest", "a80c4f17acd5"),)


def test_whatever_else_answers_there_is_no_server_of_models() -> None:
    for body in (b"<html>", b"[]", b'{"data": [1]}', b"\xff"):
        assert read(LISTED, body).failed
    assert read(LISTED, b"{}").models == ()
