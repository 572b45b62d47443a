"""Which decisions there are, what they need, and what there is."""

from tests.context.readiness.company import facts, live, need, page, task

from fairlead.context.readiness import Act, Draft, Inventory, Rate, Traffic, inventory


def whole() -> Inventory:
    return inventory(
        facts(
            tasks=(task("refund", need("refunds"), need("terms"), need("nothing"), live("orders")), task("chat")),
            pages=(
                page("refunds", source="wiki", origin="refunds@c0ffee", changed="2026-11-01", review_by="2026-11-20"),
                page("stale", expires="2026-11-21", owner="lee", trusted=False, verified=""),
                page("flow", kind="flow", fields={"covers": ("shop.refund",), "approvers": ("lead",)}, owner=""),
                page("calm", review_by="2027-01-18"),
            ),
            drafts=(
                Draft(
                    id="t", title="T", kind="page", status="review", topics=frozenset({"terms"}), owner="",
                    questions=("Who?",),
                ),
            ),
            acts=(
                Act(tool="shop.refund", about="Pays back.", effect="write", approvals=("lead", "cfo")),
                Act(tool="shop.note", about="", effect="write"),
            ),
            approvers={"lead": ("kim", "group leads")},
            live={"orders": "shop.order"},
            rates={"refunds": Rate(30.04, measured=True)},
            requests={"stale": 2},
            gone=frozenset({"lee"}),
            traffic=Traffic(
                calls={("refund", "sales"): 2, ("chat", "sales"): 9},
                cited={"chat": {"calm": 4, "away": 1}},
                tools={"shop.refund": 3},
            ),
        )
    )  # fmt: skip


def test_a_kind_of_work_tells_what_it_needs_and_what_there_is_of_it() -> None:
    chat, refund, *_ = whole().decisions
    assert [(line.need, line.state, line.pages, line.drafts) for line in refund.needs] == [
        ("refunds", "there", ("refunds",), ()),
        ("terms", "draft", (), ("t",)),
        ("nothing", "missing", (), ()),
        ("orders", "live", (), ()),
    ]
    assert (chat.name, chat.calls, chat.estimated) == ("chat", 9, True), "what is asked most comes first"
    assert [(line.need, line.state) for line in chat.needs] == [("Calm", "there"), ("away", "missing")]


def test_tools_that_change_something_tell_whose_word_is_needed_and_where_that_is_written() -> None:
    found = {each.name: each for each in whole().decisions}
    assert found["shop.refund"].approvers == ("lead (kim, group leads)", "cfo (nobody is named)")
    assert found["shop.refund"].calls == 3
    assert found["shop.refund"].needs[0].pages == ("flow",)
    assert found["shop.note"].approvers == ()
    assert (found["flow"].sort, found["flow"].approvers, found["flow"].calls) == ("flow", ("lead",), 3)


def test_each_piece_tells_where_it_lives_how_often_it_changes_and_what_to_see_to() -> None:
    report = whole()
    found = {each.id: each for each in report.knowledge}
    assert found["refunds"].where == "wiki: refunds@c0ffee"
    assert (found["refunds"].every, found["refunds"].measured) == (30.0, True)
    assert found["refunds"].remarks == ("review overdue", "changed since verified")
    assert found["refunds"].tasks == ("refund",)
    assert found["stale"].remarks == ("expired", "never verified", "words of outsiders", "owner has left")
    assert found["stale"].requests == 2
    assert found["flow"].remarks == ("no owner",)
    assert (found["t"].remarks, found["t"].status) == (("review", "questions open", "no owner"), "review")
    assert (found["calm"].every, found["calm"].measured, found["calm"].remarks) == (90.0, False, ())
    assert found["calm"].cited == 4
    assert report.knowledge[-1].id == "calm", "what is well comes last"
    assert report.counts["all"] == 5
    assert report.counts["no owner"] == 2
