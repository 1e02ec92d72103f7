"""A small count of the contract campaign: schemathesis, every check, a fixed seed."""

import runpy
import sys
from pathlib import Path

BENCH = Path(__file__).with_name("bench")


def test_no_answer_breaks_the_description(tmp_path):
    sys.modules.pop("service_contract", None)
    campaign = runpy.run_path(str(BENCH / "service_contract.py"))
    contract = campaign["run"](examples=4, seed=1, directory=tmp_path, phases="examples,fuzzing")
    assert contract.n_cases >= 80
    assert contract.n_failures == 0, contract.text
    assert contract.n_server_errors == 0, contract.text
    assert not contract.is_broken, contract.text
    assert {200, 202, 204, 304, 400, 404} & set(contract.statuses) >= {200, 202, 404}
