"""A subject is asked about twice at most at a time; what is answered may be asked again."""

from lotus_live.trade.questions import MOST, OpenQuestions


def test_questions_beyond_the_most_are_not_asked_until_one_is_answered() -> None:
    questions = OpenQuestions()
    open_now = [questions.about("a") for _ in range(MOST + 1)]
    assert [question.__enter__() for question in open_now] == [True] * MOST + [False]
    with questions.about("b") as is_free:
        assert is_free
    for question in open_now[1:]:
        question.__exit__(None, None, None)
    with questions.about("a") as is_free:
        assert is_free
