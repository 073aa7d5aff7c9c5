use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::*;

/// A configuration file that is gone with the value.
struct File(PathBuf);

impl File {
    fn new(text: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("plenum-test-{}-{number}.toml", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn load_file(text: &str) -> Result<Config, ConfigError> {
    let file = File::new(text);
    Sources {
        file: Some(file.0.clone()),
        ..Sources::default()
    }
    .load()
}

fn load_variables(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Sources {
        environment: variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..Sources::default()
    }
    .load()
}

fn message(result: Result<Config, ConfigError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn the_example_file_is_the_default() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/plenum.toml");
    let text = std::fs::read_to_string(path).unwrap();
    assert_eq!(
        text,
        default_file(),
        "write it anew: plenum config --default > config/plenum.toml"
    );
    assert_eq!(load_file(&text).unwrap().settings, Settings::default());
}

#[test]
fn flags_win_over_environment_over_file_over_default() {
    let file = File::new("[http]\nport = 1\n[media]\nport = 2\nshards = 3\n");
    let sources = Sources {
        dev: false,
        file: Some(file.0.clone()),
        environment: vec![
            ("PLENUM_HTTP__PORT".into(), "11".into()),
            ("PLENUM_MEDIA__PORT".into(), "12".into()),
        ],
        flags: vec![("http.port", "--http-port", "21".into())],
    };
    let config = sources.load().unwrap();
    assert_eq!(config.settings.http.port, 21);
    assert_eq!(config.settings.media.port, 12);
    assert_eq!(config.settings.media.shards, 3);
    assert_eq!(config.origin("http.port"), &Origin::Flag("--http-port"));
    assert_eq!(
        config.origin("media.port").to_string(),
        "environment variable PLENUM_MEDIA__PORT"
    );
    assert_eq!(config.origin("media.shards"), &Origin::File(file.0.clone()));
    assert_eq!(config.origin("log.filter"), &Origin::Default);
}

#[test]
fn unknown_keys_name_the_nearest() {
    let text = message(load_file("[http]\nprot = 1\n"));
    assert!(text.contains("`http.prot`"), "{text}");
    assert!(text.contains("did you mean `http.port`?"), "{text}");
    let text = message(load_variables(&[("PLENUM_MEDIA__SHARD", "1")]));
    assert!(text.contains("PLENUM_MEDIA__SHARD"), "{text}");
    assert!(text.contains("`media.shards`"), "{text}");
    let text = message(load_file("port = 7880\n"));
    assert!(text.contains("unknown key `port`"), "{text}");
}

#[test]
fn wrong_values_name_file_key_and_remedy() {
    let text = message(load_file("[time]\ngrace = 30\n"));
    assert!(text.contains(".toml: `time.grace` = 30"), "{text}");
    assert!(text.contains("\"30s\""), "{text}");
    let text = message(load_file("[http]\nport = 99999\n"));
    assert!(text.contains("65535"), "{text}");
    let text = message(load_file("[http\n"));
    assert!(text.contains("not valid TOML"), "{text}");
}

#[test]
fn values_carry_units() {
    let config = load_file("[time]\ngrace = \"1m30s\"\n[limits]\nmessage_size = \"2MiB\"\n");
    let settings = config.unwrap().settings;
    assert_eq!(settings.time.grace, Duration::from_secs(90));
    assert_eq!(settings.limits.message_size.0, 2 << 20);
}

#[test]
fn variables_of_kubernetes_are_not_ours() {
    let variables = [
        ("PLENUM_PORT", "tcp://10.0.0.1:7880"),
        ("PLENUM_SERVICE_HOST", "10.0.0.1"),
        ("HOME", "/root"),
    ];
    assert!(load_variables(&variables).is_ok());
}

#[test]
fn a_server_needs_keys_with_long_secrets() {
    let config = load_file("").unwrap();
    assert!(matches!(config.check_keys(), Err(ConfigError::NoKeys)));
    let config = load_variables(&[("PLENUM_KEYS__MyKey", "short")]).unwrap();
    let text = config.check_keys().unwrap_err().to_string();
    assert!(text.contains("`MyKey`") && text.contains("32"), "{text}");
    assert!(!text.contains("short\""), "{text}");
    let long = "0123456789abcdef0123456789abcdef";
    let config = load_variables(&[("PLENUM_KEYS__MyKey", long)]).unwrap();
    assert!(config.check_keys().is_ok());
}

#[test]
fn dev_is_for_this_machine_only() {
    let config = Sources {
        dev: true,
        ..Sources::default()
    }
    .load()
    .unwrap();
    assert!(config.check_keys().is_ok());
    assert!(config.settings.http.demo);
    assert!(config.settings.media.bind.is_loopback());
    assert!(config.settings.http.bind.iter().all(IpAddr::is_loopback));
}

#[test]
fn the_effective_configuration_shows_origins_but_no_secrets() {
    let long = "0123456789abcdef0123456789abcdef";
    let config =
        load_variables(&[("PLENUM_KEYS__MyKey", long), ("PLENUM_HTTP__PORT", "8080")]).unwrap();
    let text = effective(&config);
    assert!(text.contains("port = 8080 # environment variable PLENUM_HTTP__PORT"));
    assert!(text.contains("port = 7882 # default"));
    assert!(text.contains("MyKey = \"***\""));
    assert!(!text.contains(long));
    assert!(text.parse::<toml::Table>().is_ok());
}

#[test]
fn a_file_that_is_no_toml_is_named_with_its_line_but_not_quoted() {
    let secret = "abcdef0123456789abcdef0123456789abcdef";
    for line in [
        format!("mykey = {secret}"),
        format!("mykey = \"{secret}"),
        format!("mykey \"{secret}\""),
        format!("mykey = \"a\"\nmykey = \"{secret}\""),
        format!("mykey = 0{secret}"),
        format!("{secret} = x"),
    ] {
        let text = message(load_file(&format!("[http]\nport = 1\n[keys]\n{line}\n")));
        assert!(text.contains("not valid TOML: line "), "{text}");
        assert!(text.contains("line 4") || text.contains("line 5"), "{text}");
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn a_dev_server_that_others_can_reach_is_noticed() {
    let dev = |flags| {
        let sources = Sources {
            dev: true,
            flags,
            ..Sources::default()
        };
        sources.load().unwrap()
    };
    assert!(!dev(Vec::new()).exposes_dev_key());
    assert!(dev(vec![("http.bind", "--http", "0.0.0.0".into())]).exposes_dev_key());
    assert!(!load_file("").unwrap().exposes_dev_key());
}

#[test]
fn ice_servers_are_tables_with_their_credentials() {
    let config = load_file(
        "[[ice_servers]]\nurls = [\"stun:s.example.net\"]\n\
         [[ice_servers]]\nurls = [\"turn:t.example.net?transport=udp\", \"turns:t.example.net\"]\n\
         username = \"user\"\ncredential = \"password\"\n",
    )
    .unwrap();
    let [stun, turn] = &config.ice_servers[..] else {
        panic!("{:?}", config.ice_servers);
    };
    assert_eq!((stun.urls.len(), &stun.username), (1, &None));
    assert_eq!(turn.urls.len(), 2);
    assert_eq!(turn.credential, Some(Secret("password".to_owned())));
    let shown = effective(&config);
    assert!(shown.contains("turns:t.example.net") && shown.contains("username = \"user\""));
    assert!(!shown.contains("password"), "{shown}");
}

#[test]
fn a_turn_server_may_share_a_secret() {
    let text = "[[ice_servers]]\nurls = [\"turn:t\"]\nsecret = \"north\"\n";
    let config = load_file(text).unwrap();
    let shared = config.ice_servers[0].shared.clone().unwrap();
    assert_eq!(shared.secret, Secret("north".to_owned()));
    assert_eq!(shared.ttl, Duration::from_secs(6 * 3_600));
    let short = load_file(&format!("{text}ttl = \"10m\"\n")).unwrap();
    let shown = effective(&short);
    assert!(
        shown.contains("ttl = \"10m\"") && !shown.contains("north"),
        "{shown}"
    );
    for (more, hint) in [
        ("ttl = \"soon\"\n", "such as \"6h\""),
        (
            "username = \"u\"\n",
            "either username and credential, or secret",
        ),
    ] {
        let told = message(load_file(&format!("{text}{more}")));
        assert!(told.contains(hint), "{told}");
    }
}

#[test]
fn ice_servers_that_browsers_would_refuse_are_refused() {
    for (text, hint) in [
        (
            "[[ice_servers]]\nurl = [\"stun:s\"]\n",
            "did you mean `ice_servers.urls`?",
        ),
        ("[[ice_servers]]\nurls = []\n", "stun:stun.example.net:3478"),
        (
            "[[ice_servers]]\nurls = [\"http://s\"]\n",
            "stun:stun.example.net:3478",
        ),
        (
            "[[ice_servers]]\nurls = [\"stun:s x\"]\n",
            "stun:stun.example.net:3478",
        ),
        (
            "[[ice_servers]]\nurls = [\"turn:t\"]\nusername = \"u\"\n",
            "username and credential",
        ),
        (
            "[[ice_servers]]\nurls = [\"stun:s\"]\ncredential = 1\n",
            "a string",
        ),
        ("[ice_servers]\nurls = [\"stun:s\"]\n", "[[ice_servers]]"),
    ] {
        let told = message(load_file(text));
        assert!(told.contains(hint), "{text}: {told}");
    }
}
