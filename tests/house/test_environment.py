import pytest
from django.core.exceptions import ImproperlyConfigured

from config.env import database_from_url, env_bool, env_choice, env_int, env_list


@pytest.mark.parametrize(
    ("word", "value"), [("1", True), ("Yes", True), ("off", False), ("", False)]
)
def test_env_bool_reads_words(monkeypatch: pytest.MonkeyPatch, word: str, value: bool) -> None:
    monkeypatch.setenv("SWITCH", word)
    assert env_bool("SWITCH", not value) is value


def test_env_bool_names_the_variable_it_cannot_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCH", "perhaps")
    with pytest.raises(ImproperlyConfigured, match="SWITCH is 'perhaps'"):
        env_bool("SWITCH", False)


def test_env_int_names_the_variable_it_cannot_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNT", "many")
    with pytest.raises(ImproperlyConfigured, match="COUNT is 'many'"):
        env_int("COUNT", 1)


@pytest.mark.parametrize("said", ["-1", "65461"])
def test_env_int_refuses_what_is_out_of_range(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setenv("COUNT", said)
    with pytest.raises(ImproperlyConfigured, match=f"COUNT is {said}: write 0 to 65460."):
        env_int("COUNT", 1, most=65460)


def test_env_choice_names_what_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env_choice("WEIGHTS", ("as_saved", "fp8")) == "as_saved"
    monkeypatch.setenv("WEIGHTS", "fp8")
    assert env_choice("WEIGHTS", ("as_saved", "fp8")) == "fp8"
    monkeypatch.setenv("WEIGHTS", "int4")
    with pytest.raises(ImproperlyConfigured, match="WEIGHTS is 'int4': write as_saved or fp8"):
        env_choice("WEIGHTS", ("as_saved", "fp8"))


def test_env_list_drops_blanks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTS", "a.example, ,b.example")
    assert env_list("HOSTS", []) == ["a.example", "b.example"]


def test_database_url_is_unquoted() -> None:
    url = "postgresql://sheet:p%40ss@db.example:6543/proof?sslmode=require"
    entry = database_from_url(url, pool_size=3)
    assert entry["OPTIONS"] == {"sslmode": "require", "pool": {"min_size": 1, "max_size": 3}}
    assert entry["PASSWORD"] == "p@ss"
    assert (entry["HOST"], entry["PORT"], entry["NAME"]) == ("db.example", "6543", "proof")


def test_another_database_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="PostgreSQL only"):
        database_from_url("sqlite:///file.db", pool_size=1)
