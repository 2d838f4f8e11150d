# SPDX-License-Identifier: Apache-2.0
"""The matrix of docs/stores.md never says more than the run showed."""
import pytest

from stores_matrix import BEGIN, END, Column, matrix, write_into


def column(directory, *tests):
    """The column of a server whose results are `tests`: case, what pytest adds to the test, and notes."""
    path = directory / "stores.x.xml"
    path.write_text("<testsuites><testsuite>" + "".join(
        f'<testcase name="t"><properties><property name="case" value="{case}"/>'
        + "".join(f'<property name="note" value="{note}"/>' for note in notes)
        + f"</properties>{result}</testcase>" for case, result, *notes in tests) + "</testsuite></testsuites>")
    return Column(path)


@pytest.mark.parametrize("result, cell", [
    ("", "ok"),
    ('<failure message="x"/>', "FAILED"),
    ('<error message="x"/>', "FAILED"),
    ('<skipped message="not installed: minio"/>', "skipped"),
    ('<skipped message="refused: no conditional writes"/>', "refused"),
])
def test_a_case_is_what_its_worst_test_says(tmp_path, result, cell):
    assert column(tmp_path, ("a", ""), ("a", result), ("a", "")).cells == {"a": cell}


def test_a_server_that_was_not_run_is_skipped_everywhere(tmp_path):
    ran = column(tmp_path, ("a", ""), ("b", ""))
    lines = matrix({"rgw": ran, "minio": Column(tmp_path / "none.xml")})
    assert lines[2:] == ["| a | ok | skipped |", "| b | ok | skipped |"]


def test_notes_and_refusals_are_numbered_and_spelled_out_once(tmp_path):
    refused = '<skipped message="refused: says why"/>'
    lines = matrix({"rgw": column(tmp_path, ("a", "", "any region"), ("b", "", "any region"), ("c", refused))})
    assert lines[2:5] == ["| a | differs (1) |", "| b | differs (1) |", "| c | refused (2) |"]
    assert lines[5:] == ["", "1. any region", "2. says why"]


def test_what_stands_around_the_matrix_stays(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_into(page, ["new"])
    assert page.read_text() == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
