use super::*;

fn load(env: &[(&str, &str)]) -> anyhow::Result<Config> {
    let env = env
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    Config::load(None, env)
}

#[test]
fn the_defaults_are_complete() {
    let config = load(&[]).unwrap();
    assert_eq!(config.bind.port(), 8080);
    assert_eq!(config.database_url(), "sqlite://./data/wagate.db");
    assert_eq!(config.webhooks.timeout, Duration::from_secs(15));
}

#[test]
fn the_environment_overrides_nested_keys() {
    let config = load(&[
        ("WAGATE_BIND", "127.0.0.1:9"),
        ("WAGATE_WEBHOOKS__TIMEOUT", "3s"),
        ("WAGATE_WEBHOOKS__ALLOW", "10.0.0.0/8,192.168.1.0/24"),
        ("WAGATE_TRUSTED_PROXIES", "127.0.0.1/32,::1/128"),
        ("WAGATE_API_KEY", "12345678901234567890"),
        ("WAGATE_DEFAULT_REGION", "id"),
    ])
    .unwrap();
    assert_eq!(config.bind.port(), 9);
    assert_eq!(config.webhooks.timeout, Duration::from_secs(3));
    assert_eq!(config.webhooks.allow.len(), 2);
    assert_eq!(config.trusted_proxies.len(), 2);
    assert_eq!(config.api_key.get(), Some("12345678901234567890"));
    assert!(config.region().unwrap().is_some());
    assert!(!format!("{config:?}").contains("1234567890"));
}

#[test]
fn master_keys_come_from_the_environment_as_they_are_written() {
    // Digits alone and an exponent are numbers to whoever looks for numbers.
    let (digits, exponent) = ("1".repeat(64), format!("{}e{}", "1".repeat(31), "2".repeat(32)));
    let config = load(&[
        ("WAGATE_MASTER_KEY", &digits),
        ("WAGATE_PREVIOUS_MASTER_KEYS", &exponent),
    ])
    .unwrap();
    assert_eq!(config.master_key.get(), Some(digits.as_str()));
    assert_eq!(config.previous_master_keys[0].get(), Some(exponent.as_str()));
    assert!(config.keyring().unwrap().is_some());
    assert!(!format!("{config:?}").contains("1111"));

    let both = format!("{digits}, {exponent},");
    let config = load(&[
        ("WAGATE_MASTER_KEY", &digits),
        ("WAGATE_PREVIOUS_MASTER_KEYS", &both),
    ])
    .unwrap();
    let previous = config.previous_master_keys.iter().filter_map(SecretSetting::get);
    assert_eq!(previous.collect::<Vec<_>>(), [&digits, &exponent]);
    assert!(load(&[]).unwrap().keyring().unwrap().is_none());
}

#[test]
fn a_wrong_master_key_is_refused_without_being_repeated() {
    let right = "1".repeat(64);
    for (env, sentence) in [
        (vec![("WAGATE_MASTER_KEY", "hunter2")], "master_key is wrong"),
        (
            vec![
                ("WAGATE_MASTER_KEY", right.as_str()),
                ("WAGATE_PREVIOUS_MASTER_KEYS", "hunter2"),
            ],
            "previous_master_keys is wrong",
        ),
        (
            vec![("WAGATE_PREVIOUS_MASTER_KEYS", right.as_str())],
            "previous_master_keys is set without master_key",
        ),
    ] {
        let error = format!("{:#}", load(&env).unwrap_err());
        assert!(error.starts_with(sentence), "{error}");
        assert!(!error.contains("hunter2") && !error.contains('\n'), "{error}");
    }
}

#[test]
fn what_is_unknown_or_wrong_stops_the_start() {
    for (key, value) in [
        ("WAGATE_BNID", "127.0.0.1:9"),
        ("WAGATE_BIND", "nowhere"),
        ("WAGATE_WEBHOOKS__TIMEOUT", "soon"),
        ("WAGATE_WEBHOOKS__TIMEOUTS", "3s"),
        ("WAGATE_DEFAULT_REGION", "XX"),
        ("WAGATE_API_KEY", "short"),
        ("WAGATE_WHATSAPP__VERSION", "2.3000"),
    ] {
        let error = load(&[(key, value)]).expect_err(key);
        assert!(!format!("{error:#}").contains('\n'), "{error:#}");
    }
}

#[test]
fn a_named_file_must_exist() {
    assert!(Config::load(Some(Path::new("/no/such/wagate.toml")), HashMap::new()).is_err());
}
