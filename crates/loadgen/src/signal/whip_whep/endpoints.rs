//! Where to POST, and with which token.

use super::super::{JoinRequest, Target, token};
use super::Direction;
use anyhow::{Context, Result, bail};
use url::Url;

/// What the command line says of WHIP and WHEP.
#[derive(Clone, Debug, clap::Args)]
pub struct WhipWhepFlags {
    /// Drive the server by WHIP and WHEP, which others speak too, in place of Plenum's own
    /// protocol.
    #[arg(long)]
    pub whip_whep: bool,
    /// Where publishers POST, as a URL or a path of --url; {room} and {identity} are replaced.
    #[arg(
        long,
        value_name = "URL",
        default_value = "/whip/{room}",
        requires = "whip_whep"
    )]
    whip_url: String,
    /// Where subscribers POST, as a URL or a path of --url; {room} and {identity} are replaced.
    #[arg(
        long,
        value_name = "URL",
        default_value = "/whep/{room}",
        requires = "whip_whep"
    )]
    whep_url: String,
    /// Bearer token of every client, empty for none; without it each has one signed with --key
    /// and --secret.
    #[arg(long, value_name = "TOKEN", requires = "whip_whep")]
    bearer: Option<String>,
}

impl Default for WhipWhepFlags {
    fn default() -> Self {
        Self {
            whip_whep: false,
            whip_url: "/whip/{room}".to_owned(),
            whep_url: "/whep/{room}".to_owned(),
            bearer: None,
        }
    }
}

impl WhipWhepFlags {
    /// The token of the client of `request`; empty for none.
    pub(super) fn token(&self, target: &Target, request: &JoinRequest) -> Result<String> {
        match &self.bearer {
            Some(token) => Ok(token.clone()),
            None => token::mint(target, request),
        }
    }

    /// Where the client of `request` POSTs; `base` is the server's URL.
    pub(super) fn endpoint(
        &self,
        direction: Direction,
        base: &str,
        request: &JoinRequest,
    ) -> Result<Url> {
        let template = match direction {
            Direction::Whip => &self.whip_url,
            Direction::Whep => &self.whep_url,
        };
        let filled = template
            .replace("{room}", &request.room)
            .replace("{identity}", &request.identity);
        let flag = direction.flag();
        if filled.contains(['{', '}']) {
            bail!("{flag} {template}: only {{room}} and {{identity}} are replaced");
        }
        let parsed = if filled.contains("://") {
            Url::parse(&filled)
        } else {
            // A path in --url stays, so that servers below a path can be driven too.
            let path = filled.trim_start_matches('/');
            Url::parse(&format!("{}/{path}", base.trim_end_matches('/')))
        };
        parsed.with_context(|| format!("{flag} {template} at --url {base} makes no URL"))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::signal::Role;
    use crate::signal::whip_whep::tests::request;

    /// The flags with a fixed token.
    pub(in super::super) fn with_bearer(token: &str) -> WhipWhepFlags {
        let bearer = Some(token.to_owned());
        WhipWhepFlags {
            bearer,
            ..WhipWhepFlags::default()
        }
    }

    fn endpoint(whep_url: &str, base: &str) -> Result<String> {
        let whep_url = whep_url.to_owned();
        let flags = WhipWhepFlags {
            whep_url,
            ..WhipWhepFlags::default()
        };
        let url = flags.endpoint(Direction::Whep, base, &request(Role::Subscriber))?;
        Ok(url.to_string())
    }

    #[test]
    fn templates_are_filled_in() {
        for (template, base, expected) in [
            ("/whep/{room}", "http://h:1", "http://h:1/whep/room-0"),
            ("/whep/{room}", "http://h:1/", "http://h:1/whep/room-0"),
            (
                "{room}/whep?id={identity}",
                "http://h/live",
                "http://h/live/room-0/whep?id=one",
            ),
            ("http://other/w", "http://h", "http://other/w"),
        ] {
            assert_eq!(endpoint(template, base).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_not_replaced_is_refused() {
        let error = endpoint("/whep/{stream}", "http://h")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("--whep-url /whep/{stream}: only {room}"),
            "{error}"
        );
        let error = endpoint("/whep", "nonsense").unwrap_err().to_string();
        assert!(error.contains("makes no URL"), "{error}");
    }
}
