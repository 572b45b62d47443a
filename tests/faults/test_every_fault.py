"""Whatever a provider does, no client hangs and nothing is lost: the short form of `python -m evals.faults`."""

import pytest
from evals import faults


@pytest.mark.usefixtures("forked_stage")
async def test_every_fault_streamed_and_not_ends_in_time_with_a_record_and_the_right_bill() -> None:
    result = await faults.measure(times=2)
    zero = sorted(set(result) - faults.TOLD)
    assert {name: result[name] for name in zero} == dict.fromkeys(zero, 0)
    assert result["audit_ok"]
    # A fault may leave a kept connection dead: what is sent next on it fails before the provider sees it.
    assert result["charges"] >= 0.9 * result["requests"]
