from tests.docs.errorcodes import documented, raised


def test_the_page_has_a_row_for_every_error_code_and_no_other() -> None:
    codes = set(raised())
    assert codes - documented() == set(), "`python -m tests.docs.errorcodes` prints the rows"
    assert documented() - codes == set()
