//! `plenum token`

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow};
use plenum_signaling::token::{Claims, Grants, mint};
use plenum_types::Secret;

use super::print;
use crate::cli::TokenArgs;
use crate::config::{DEV_KEY, Sources};

/// Prints a token.
pub(crate) fn run(args: &TokenArgs) -> Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let (key, secret) = signing_key(args)?;
    let token = sign(args, key, &secret, now.as_secs())?;
    Ok(print(&format!("{token}\n"))?)
}

fn sign(args: &TokenArgs, key: String, secret: &Secret, now_s: u64) -> Result<String> {
    let claims = Claims {
        iss: key,
        sub: args.identity.clone(),
        exp: now_s.saturating_add(args.ttl.as_secs()),
        iat: Some(now_s),
        nbf: None,
        name: args.name.clone(),
        metadata: args.metadata.clone(),
        attributes: BTreeMap::new(),
        video: Grants {
            can_publish: args.no_publish.then_some(false),
            can_subscribe: args.no_subscribe.then_some(false),
            hidden: args.hidden,
            max_publish_bitrate: args.max_publish_bitrate,
            room_admin: args.admin,
            room_list: args.admin,
            room_create: args.admin,
            room: args.room.clone(),
            room_join: args.room.is_some(),
            ..Grants::default()
        },
        verified_s: 0,
    };
    mint(&claims, secret).map_err(|refusal| anyhow!("the token cannot be signed: {refusal:?}"))
}

/// The key of the flags, of `--dev`, or the first one configured.
fn signing_key(args: &TokenArgs) -> Result<(String, Secret)> {
    if let (Some(key), Some(secret)) = (&args.key, &args.secret) {
        return Ok((key.clone(), Secret(secret.clone())));
    }
    if args.dev {
        let (key, secret) = DEV_KEY;
        return Ok((key.to_owned(), Secret(secret.to_owned())));
    }
    let sources = Sources {
        file: args.config.clone(),
        environment: crate::environment(),
        ..Sources::default()
    };
    let (key, (secret, _)) = sources.load()?.keys.into_iter().next().context(
        "no key to sign with; give --key and --secret, --config FILE with [keys], or --dev",
    )?;
    Ok((key, secret))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};
    use clap::Parser;
    use plenum_signaling::token::{Keys, PublicKeys, verify};

    const NOW: u64 = 1_800_000_000;

    fn claims(arguments: &[&str]) -> Claims {
        let head = [
            "plenum",
            "token",
            "--room",
            "tea",
            "--identity",
            "ada",
            "--dev",
        ];
        let cli = Cli::try_parse_from(head.iter().chain(arguments)).unwrap();
        let Command::Token(args) = cli.into_command() else {
            panic!("not token");
        };
        let (key, secret) = signing_key(&args).unwrap();
        let token = sign(&args, key.clone(), &secret, NOW).unwrap();
        let keys = Keys::from([(key, secret)]);
        assert!(verify(&token, &keys, &PublicKeys::default(), NOW + 365 * 86_400).is_err());
        verify(&token, &keys, &PublicKeys::default(), NOW).unwrap()
    }

    #[test]
    fn the_token_verifies_and_says_what_was_asked() {
        let claims = claims(&["--name", "Ada", "--ttl", "10m", "--no-publish"]);
        assert_eq!(claims.sub, "ada");
        assert_eq!(claims.name.as_deref(), Some("Ada"));
        assert_eq!(claims.exp, NOW + 600);
        assert_eq!(claims.video.room.as_deref(), Some("tea"));
        assert!(claims.video.room_join);
        assert_eq!(claims.video.can_publish, Some(false));
        assert!(claims.video.may_subscribe());
    }

    #[test]
    fn backends_need_no_room() {
        let arguments = ["plenum", "token", "--admin", "--identity", "app", "--dev"];
        let cli = Cli::try_parse_from(arguments).unwrap();
        let Command::Token(args) = cli.into_command() else {
            panic!("not token");
        };
        let (key, secret) = signing_key(&args).unwrap();
        let token = sign(&args, key.clone(), &secret, NOW).unwrap();
        let grants = verify(
            &token,
            &Keys::from([(key, secret)]),
            &PublicKeys::default(),
            NOW,
        )
        .unwrap();
        let grants = grants.video;
        assert!(grants.room_admin && grants.room_list && grants.room_create);
        assert!(!grants.room_join && grants.room.is_none());
        assert!(Cli::try_parse_from(["plenum", "token", "--identity", "ada"]).is_err());
    }

    #[test]
    fn by_default_all_is_allowed_for_six_hours() {
        let claims = claims(&[]);
        assert_eq!(claims.exp, NOW + 6 * 3_600);
        assert_eq!(claims.video.can_publish, None);
        assert!(!claims.video.hidden);
    }
}
