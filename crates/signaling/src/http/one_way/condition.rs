//! `If-Match` (RFC 9110 §13.1.1): which ICE session a PATCH is about.

use axum::http::header::IF_MATCH;
use axum::http::{HeaderMap, StatusCode};

use crate::http::failure::Failure;
use crate::http_session::Condition;

/// The condition, if there is one.
///
/// `"*"`, with quotes, is taken for `*`: drafts of RFC 9725 wrote it so, and clients followed.
pub(super) fn read(headers: &HeaderMap) -> Result<Option<Condition>, Failure> {
    let mut tags = Vec::new();
    let mut found = false;
    for value in headers.get_all(IF_MATCH) {
        found = true;
        let value = value.to_str().map_err(|_| unreadable())?.trim();
        if matches!(value, "*" | "\"*\"") {
            return Ok(Some(Condition::Any));
        }
        read_list(value, &mut tags)?;
    }
    Ok(found.then_some(Condition::OneOf(tags)))
}

/// `"a", W/"b"`: the strong ones, because weak ones never match (RFC 9110 §8.8.3.2).
fn read_list(list: &str, tags: &mut Vec<String>) -> Result<(), Failure> {
    let mut rest = list;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return Ok(());
        }
        let (weak, quoted) = match rest.strip_prefix("W/") {
            Some(quoted) => (true, quoted),
            None => (false, rest),
        };
        let open = quoted.strip_prefix('"').ok_or_else(unreadable)?;
        let (tag, after) = open.split_once('"').ok_or_else(unreadable)?;
        if !weak {
            tags.push(tag.to_owned());
        }
        rest = after;
    }
}

fn unreadable() -> Failure {
    Failure::new(
        StatusCode::BAD_REQUEST,
        "badCondition",
        "Send If-Match with the last ETag in its quotes, or with * to restart ICE.",
    )
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn condition(values: &[&'static str]) -> Option<Condition> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(IF_MATCH, HeaderValue::from_static(value));
        }
        read(&headers).ok().flatten()
    }

    fn one_of(tags: &[&str]) -> Option<Condition> {
        let tags = tags.iter().map(|tag| (*tag).to_owned());
        Some(Condition::OneOf(tags.collect()))
    }

    #[test]
    fn reads_stars_and_lists() {
        assert_eq!(condition(&[]), None);
        assert_eq!(condition(&["*"]), Some(Condition::Any));
        assert_eq!(condition(&["\"*\""]), Some(Condition::Any));
        assert_eq!(condition(&["\"a\""]), one_of(&["a"]));
        assert_eq!(
            condition(&["\"a,b\", \"c\"", "\"d\""]),
            one_of(&["a,b", "c", "d"])
        );
    }

    #[test]
    fn weak_tags_match_nothing_and_bare_ones_are_refused() {
        assert_eq!(condition(&["W/\"a\""]), one_of(&[]));
        for text in ["a", "\"a", "W/a"] {
            let mut headers = HeaderMap::new();
            headers.append(IF_MATCH, HeaderValue::from_static(text));
            assert!(read(&headers).is_err(), "{text}");
        }
    }
}
