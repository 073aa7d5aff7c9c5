//! Values: how each type is read from TOML, the environment and flags, and how it is written.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::units::{format_duration, format_size, parse_duration, parse_size};

/// A value as it was given.
#[derive(Clone, Debug)]
pub(crate) enum Raw {
    /// From TOML, so it has a type.
    Toml(toml::Value),
    /// From the environment or a flag: just characters.
    Text(String),
}

impl Raw {
    /// As it was given, for messages.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Toml(value) => value.to_string(),
            Self::Text(text) => format!("{text:?}"),
        }
    }

    /// A string.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Toml(value) => value.as_str(),
            Self::Text(text) => Some(text),
        }
    }

    fn parse<T: std::str::FromStr>(&self) -> Option<T> {
        self.as_text()?.trim().parse().ok()
    }

    fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Toml(value) => value.as_integer(),
            Self::Text(text) => text.trim().parse().ok(),
        }
    }

    fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Toml(value) => value.as_bool(),
            Self::Text(text) => text.trim().parse().ok(),
        }
    }

    /// The elements of a list: a TOML array, or texts between commas.
    fn elements(&self) -> Option<Vec<Self>> {
        match self {
            Self::Toml(value) => Some(value.as_array()?.iter().cloned().map(Self::Toml).collect()),
            Self::Text(text) => Some(
                text.split(',')
                    .map(str::trim)
                    .filter(|element| !element.is_empty())
                    .map(|element| Self::Text(element.to_owned()))
                    .collect(),
            ),
        }
    }
}

/// A type that a key can have.
pub(crate) trait Value: Sized {
    /// What it is, for `config/plenum.toml`.
    const UNIT: &'static str;

    /// What can be written, for messages.
    const EXPECTED: &'static str;

    /// Reads it; `None` if it is not what is expected.
    fn read(raw: &Raw) -> Option<Self>;

    /// Writes it as TOML.
    fn write(&self) -> String;
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

impl Value for bool {
    const UNIT: &'static str = "true or false";
    const EXPECTED: &'static str = "true or false";

    fn read(raw: &Raw) -> Option<Self> {
        raw.as_bool()
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

impl Value for u16 {
    const UNIT: &'static str = "number";
    const EXPECTED: &'static str = "a whole number from 0 to 65535";

    fn read(raw: &Raw) -> Option<Self> {
        raw.as_integer()?.try_into().ok()
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

impl Value for u32 {
    const UNIT: &'static str = "number";
    const EXPECTED: &'static str = "a whole number";

    fn read(raw: &Raw) -> Option<Self> {
        raw.as_integer()?.try_into().ok()
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

impl Value for usize {
    const UNIT: &'static str = "number";
    const EXPECTED: &'static str = "a whole number";

    fn read(raw: &Raw) -> Option<Self> {
        raw.as_integer()?.try_into().ok()
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

impl Value for String {
    const UNIT: &'static str = "text";
    const EXPECTED: &'static str = "a string";

    fn read(raw: &Raw) -> Option<Self> {
        raw.as_text().map(str::to_owned)
    }

    fn write(&self) -> String {
        quoted(self)
    }
}

impl Value for Option<PathBuf> {
    const UNIT: &'static str = "path";
    const EXPECTED: &'static str = "the path of a file, or \"\" for none";

    fn read(raw: &Raw) -> Option<Self> {
        let path = raw.as_text()?;
        Some((!path.is_empty()).then(|| PathBuf::from(path)))
    }

    fn write(&self) -> String {
        quoted(&self.as_deref().unwrap_or("".as_ref()).to_string_lossy())
    }
}

impl Value for Duration {
    const UNIT: &'static str = "time";
    const EXPECTED: &'static str = "a length of time such as \"500ms\", \"30s\" or \"6h\"";

    fn read(raw: &Raw) -> Option<Self> {
        parse_duration(raw.as_text()?)
    }

    fn write(&self) -> String {
        quoted(&format_duration(*self))
    }
}

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ByteSize(pub(crate) u64);

impl Value for ByteSize {
    const UNIT: &'static str = "size";
    const EXPECTED: &'static str = "a size such as \"64KiB\" or \"4MiB\"";

    fn read(raw: &Raw) -> Option<Self> {
        parse_size(raw.as_text()?).map(Self)
    }

    fn write(&self) -> String {
        quoted(&format_size(self.0))
    }
}

impl Value for IpAddr {
    const UNIT: &'static str = "IP address";
    const EXPECTED: &'static str = "an IP address such as \"::\" or \"192.0.2.1\"";

    fn read(raw: &Raw) -> Option<Self> {
        raw.parse()
    }

    fn write(&self) -> String {
        quoted(&self.to_string())
    }
}

impl Value for Vec<String> {
    const UNIT: &'static str = "texts";
    const EXPECTED: &'static str = "a list of strings such as [\"one\", \"two\"]";

    fn read(raw: &Raw) -> Option<Self> {
        raw.elements()?.iter().map(String::read).collect()
    }

    fn write(&self) -> String {
        let elements: Vec<String> = self.iter().map(Value::write).collect();
        format!("[{}]", elements.join(", "))
    }
}

impl Value for Vec<IpAddr> {
    const UNIT: &'static str = "IP addresses";
    const EXPECTED: &'static str =
        "a list of IP addresses such as [\"192.0.2.1\", \"2001:db8::1\"]";

    fn read(raw: &Raw) -> Option<Self> {
        raw.elements()?.iter().map(IpAddr::read).collect()
    }

    fn write(&self) -> String {
        let elements: Vec<String> = self.iter().map(Value::write).collect();
        format!("[{}]", elements.join(", "))
    }
}

/// Form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// For eyes.
    Human,
    /// One JSON object per line.
    Json,
}

impl Value for LogFormat {
    const UNIT: &'static str = "\"human\" or \"json\"";
    const EXPECTED: &'static str = "\"human\" or \"json\"";

    fn read(raw: &Raw) -> Option<Self> {
        match raw.as_text()? {
            "human" => Some(Self::Human),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    fn write(&self) -> String {
        quoted(match self {
            Self::Human => "human",
            Self::Json => "json",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_from_toml_are_strict_and_from_text_are_not() {
        let number = toml::Value::Integer(7_880);
        assert_eq!(u16::read(&Raw::Toml(number)), Some(7_880));
        assert_eq!(u16::read(&Raw::Toml("7880".into())), None);
        assert_eq!(u16::read(&Raw::Text("7880".into())), Some(7_880));
        assert_eq!(u16::read(&Raw::Text("78800".into())), None);
        assert_eq!(bool::read(&Raw::Toml("true".into())), None);
        assert_eq!(bool::read(&Raw::Text("true".into())), Some(true));
    }

    #[test]
    fn lists_are_arrays_or_have_commas() {
        let expected: Vec<IpAddr> = vec![[192, 0, 2, 1].into(), [192, 0, 2, 2].into()];
        let text = Raw::Text("192.0.2.1, 192.0.2.2,".into());
        assert_eq!(Vec::read(&text), Some(expected.clone()));
        let array = toml::Value::from(vec!["192.0.2.1", "192.0.2.2"]);
        assert_eq!(Vec::read(&Raw::Toml(array)), Some(expected.clone()));
        assert_eq!(expected.write(), r#"["192.0.2.1", "192.0.2.2"]"#);
        assert_eq!(Vec::<IpAddr>::read(&Raw::Text("here".into())), None);
    }
}
