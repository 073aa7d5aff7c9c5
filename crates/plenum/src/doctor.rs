//! `plenum doctor`: looks from this machine for what makes calls fail in the field.
//!
//! Each check is a line: what was looked at and found, and, if it is not well, what to do.

mod certificate;
mod network;
mod system;
mod tcp;

use std::fmt::{self, Display, Formatter};

use anyhow::{Result, bail};

use crate::cli::ServeArgs;
use crate::commands::print;
use crate::config::Config;

/// How it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Health {
    Well,
    /// Calls work, but not all or not as well as they could.
    Doubtful,
    /// Calls will fail.
    Ill,
}

/// What a check found.
#[derive(Debug)]
struct Finding {
    health: Health,
    /// What was looked at, and how it is.
    what: String,
    /// What to do about it.
    remedy: Option<String>,
}

impl Finding {
    fn well(what: impl Into<String>) -> Self {
        Self {
            health: Health::Well,
            what: what.into(),
            remedy: None,
        }
    }

    fn doubtful(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            health: Health::Doubtful,
            what: what.into(),
            remedy: Some(remedy.into()),
        }
    }

    fn ill(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            health: Health::Ill,
            what: what.into(),
            remedy: Some(remedy.into()),
        }
    }
}

impl Display for Finding {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mark = match self.health {
            Health::Well => "ok  ",
            Health::Doubtful => "warn",
            Health::Ill => "FAIL",
        };
        write!(f, "{mark}  {}", self.what)?;
        match &self.remedy {
            Some(remedy) => write!(f, "\n      {remedy}"),
            None => Ok(()),
        }
    }
}

/// Looks, and tells. An error if calls will fail.
pub(crate) fn run(args: &ServeArgs) -> Result<()> {
    let mut findings = Vec::new();
    match args.sources(crate::environment()).load() {
        Ok(config) => {
            findings.push(keys(&config));
            findings.extend(certificate::check(&config.settings.http));
            findings.extend(network::check(&config));
            findings.extend(system::check(&config));
        }
        Err(error) => findings.push(Finding::ill(
            "the configuration cannot be read",
            error.to_string(),
        )),
    }
    for finding in &findings {
        print(&format!("{finding}\n"))?;
    }
    let ill = findings
        .iter()
        .filter(|finding| finding.health == Health::Ill)
        .count();
    if ill > 0 {
        bail!("{ill} of {} checks failed", findings.len());
    }
    Ok(())
}

fn keys(config: &Config) -> Finding {
    match config.check_keys() {
        Err(error) => Finding::ill("the API keys cannot be used", error.to_string()),
        Ok(()) if config.exposes_dev_key() => Finding::ill(
            "the key of --dev, which everybody knows, is open to the network",
            "configure [keys] and leave --dev out",
        ),
        Ok(()) => public_keys(config),
    }
}

fn public_keys(config: &Config) -> Finding {
    let secrets = config.keys.len();
    match config.public_keys() {
        Err(error) => Finding::ill("the public keys cannot be used", error.to_string()),
        Ok(public) if public.is_empty() => {
            Finding::well(format!("{secrets} API keys, none too short"))
        }
        Ok(public) => Finding::well(format!(
            "{secrets} API keys, none too short, and {} public keys",
            public.len()
        )),
    }
}
