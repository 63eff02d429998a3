from pathlib import Path

import pytest

from onefold.errors import OnefoldError
from onefold.schema_files import schema_folder
from onefold.settings import Settings, load_settings, variable_of
from tests.tables import ROOT, plain, rows


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An onefold.toml of whoever runs the tests must not count."""
    monkeypatch.chdir(tmp_path)


def refusal(
    config: Path | None = None,
    variables: dict[str, str] | None = None,
    chosen: dict[str, object] | None = None,
) -> OnefoldError:
    """The error with which these settings are refused."""
    with pytest.raises(OnefoldError) as caught:
        load_settings(config, variables or {}, chosen)
    assert caught.value.code == "settings.invalid"
    assert caught.value.hint
    return caught.value


def written(text: str, name: str = "shop.toml") -> Path:
    """A settings file in the working directory."""
    path = Path(name)
    path.write_text(text)
    return path


def test_without_any_setting_the_defaults_hold() -> None:
    assert load_settings(variables={}) == Settings()


def test_a_file_is_read_with_every_kind_of_value() -> None:
    path = written('store = "sqlite:///shop.db"\nport = 9000\ntraits = "t.yaml"\nallowed_origins = ["http://a:1"]\n')
    assert load_settings(path, {}) == Settings(
        store="sqlite:///shop.db", port=9000, traits=Path("t.yaml"), allowed_origins=("http://a:1",)
    )


def test_the_file_is_the_one_named_else_the_variable_s_else_the_one_here() -> None:
    written("port = 1", "onefold.toml")
    by_variable, named = written("port = 2", "variable.toml"), written("port = 3", "named.toml")
    assert load_settings(variables={}).port == 1
    assert load_settings(variables={"ONEFOLD_CONFIG": str(by_variable)}).port == 2
    assert load_settings(named, {"ONEFOLD_CONFIG": str(by_variable)}).port == 3


def test_a_variable_wins_over_the_file_and_the_command_line_over_both() -> None:
    path = written("port = 1\nqueue_size = 20000\nbatch_size = 7\n")
    variables = {"ONEFOLD_PORT": "2", "ONEFOLD_QUEUE_SIZE": "30000"}
    settings = load_settings(path, variables, {"port": 3})
    assert (settings.port, settings.queue_size, settings.batch_size) == (3, 30_000, 7)


def test_a_list_in_a_variable_is_parted_by_commas() -> None:
    assert load_settings(variables={"ONEFOLD_ALLOWED_HOSTS": "a, b,"}).allowed_hosts == ("a", "b")


def test_a_file_that_does_not_exist_is_named() -> None:
    assert "absent.toml cannot be read: No such file" in refusal(Path("absent.toml")).message
    assert "gone.toml" in refusal(variables={"ONEFOLD_CONFIG": "gone.toml"}).message


@pytest.mark.parametrize("content", [b"port 1", b"\xff\xfe"])
def test_a_file_that_is_not_toml_is_named(content: bytes) -> None:
    path = Path("broken.toml")
    path.write_bytes(content)
    error = refusal(path)
    assert "broken.toml is not TOML" in error.message
    assert "\n" not in error.message


def test_an_unknown_setting_in_the_file_is_refused_with_the_one_it_resembles() -> None:
    error = refusal(written("prot = 1"))
    assert (error.field, error.hint) == ("prot", "Did you mean port?")
    assert "queue_size" in str(refusal(written("colour = 1")).hint)


def test_a_misspelt_variable_is_refused_with_the_one_it_resembles() -> None:
    error = refusal(variables={"ONEFOLD_SOTRE": "sqlite:///x.db"})
    assert (error.message, error.hint) == ("ONEFOLD_SOTRE is not a setting", "Did you mean ONEFOLD_STORE?")


def test_variables_of_others_are_left_alone() -> None:
    others = {
        "ONEFOLD_SERVICE_HOST": "10.0.0.1",
        "ONEFOLD_SERVICE_PORT": "80",
        "ONEFOLD_PORT_8470_TCP": "tcp",
        "PORT": "1",
        "ONEFOLD_CONFIG": "",
    }
    assert load_settings(variables=others) == Settings()


@pytest.mark.parametrize(
    ("text", "field", "message"),
    [
        ('port = "9000"', "port", "port in shop.toml is '9000': Expected `int`, got `str`"),
        ("port = 70000", "port", "port in shop.toml is 70000: Expected `int` <= 65535"),
        ("queue_size = 0", "queue_size", "queue_size in shop.toml is 0: Expected `int` >= 1"),
        ("store = 5", "store", "store in shop.toml is 5: Expected `str`, got `int`"),
        ('allowed_hosts = "a"', "allowed_hosts", "allowed_hosts in shop.toml is 'a': Expected `array`, got `str`"),
        ('traits = ""', "traits", "traits in shop.toml is '': Expected a path"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_by_field_and_file(text: str, field: str, message: str) -> None:
    error = refusal(written(text))
    assert (error.field, error.message) == (field, message)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('allowed_origins = ["localhost:3000"]', "allowed_origins"),
        ('allowed_origins = ["https://shop.example/till"]', "allowed_origins"),
        ('allowed_hosts = ["http://shop.example"]', "allowed_hosts"),
        ('allowed_hosts = ["shop.example:8470"]', "allowed_hosts"),
    ],
)
def test_origins_and_hosts_that_no_browser_sends_are_refused(text: str, field: str) -> None:
    assert refusal(written(text)).field == field


def test_addresses_may_be_hosts() -> None:
    allowed = ("shop.example", "10.0.0.1", "[::1]")
    assert load_settings(chosen={"allowed_hosts": allowed}).allowed_hosts == allowed


def test_a_value_of_the_wrong_type_is_refused_by_variable_or_option() -> None:
    assert refusal(variables={"ONEFOLD_PORT": "http"}).message.startswith("ONEFOLD_PORT is 'http': ")
    assert refusal(chosen={"max_page_size": 0}).message.startswith("--max-page-size is 0: ")


@pytest.mark.parametrize("region", ["XX", "us", "", "+1"])
def test_a_region_without_telephone_numbers_is_refused(region: str) -> None:
    assert refusal(variables={"ONEFOLD_DEFAULT_REGION": region}).field == "default_region"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "localhost"])
def test_onefold_may_listen_on_loopback(host: str) -> None:
    assert load_settings(variables={"ONEFOLD_HOST": host}).host == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.1", "example.com", "", "localhost.example.com"])
def test_without_keys_onefold_may_listen_nowhere_else(host: str) -> None:
    assert refusal(variables={"ONEFOLD_HOST": host}).field == "host"


@pytest.mark.parametrize(
    ("small", "large"),
    [("max_events_per_batch", "queue_size"), ("batch_size", "queue_size"), ("max_event_bytes", "max_body_bytes")],
)
def test_settings_that_contradict_each_other_are_refused(small: str, large: str) -> None:
    limit = getattr(Settings(), large)
    assert getattr(load_settings(chosen={small: limit}, variables={}), small) == limit
    error = refusal(chosen={small: limit + 1})
    assert error.field == small
    assert large in error.message


def test_the_documented_settings_are_the_ones_there_are() -> None:
    documented = [
        (plain(name), plain(variable), plain(default))
        for name, variable, default, _ in rows("settings.md", "| setting | variable | default | meaning |")
    ]
    defaults = Settings()
    real = [(name, variable_of(name), shown(getattr(defaults, name))) for name in Settings.__struct_fields__]
    assert documented == real


def shown(default: object) -> str:
    """A default as docs/settings.md writes it: as a variable would say it, packaged files by their folder."""
    match default:
        case Path():
            return str(default.relative_to(schema_folder().parent))
        case tuple():
            return ",".join(default)
        case _:
            return str(default)


def test_the_documented_example_is_read() -> None:
    document = (ROOT / "docs" / "settings.md").read_text()
    example = document.split("```toml\n")[1].split("```")[0]
    settings = load_settings(written(example), {})
    assert (settings.store, settings.default_region) == ("sqlite:///shop.db", "DE")
    assert settings.allowed_origins == ("http://localhost:3000",)
