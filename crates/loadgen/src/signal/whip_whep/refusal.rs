//! What a status means to whoever runs the benchmark: what to change.

use super::Direction;
use crate::http::Response;
use hyper::StatusCode;
use serde_json::Value;

/// Characters of a server's own words that are passed on; an HTML page is longer.
const WORDS_MAX: usize = 200;

/// One line for a POST that was not answered with 201, after so many attempts.
pub(super) fn refusal(direction: Direction, response: &Response, attempts: usize) -> String {
    let (name, flag, url) = (direction.name(), direction.flag(), &response.url);
    let text = match response.status {
        StatusCode::NOT_FOUND | StatusCode::GONE => format!(
            "the server has no {name} endpoint at {url}: pass {flag}, or leave out --whip-whep"
        ),
        StatusCode::METHOD_NOT_ALLOWED => {
            format!("{url} takes no POST, so it is no {name} endpoint: pass {flag}")
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => format!(
            "{url} refuses the token: pass the server's --key and --secret, or a token that it \
             takes with --bearer"
        ),
        StatusCode::UNSUPPORTED_MEDIA_TYPE | StatusCode::NOT_ACCEPTABLE => format!(
            "{url} does not answer offers in application/sdp, so it is no {name} endpoint as \
             specified"
        ),
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => {
            format!("{url} refuses the offer")
        }
        StatusCode::CONFLICT => format!("{url} has nothing to play, or is already published to"),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
            format!("{url} is overloaded: lower --ramp or the number of clients")
        }
        status if status.is_success() => {
            format!("{url} should have answered 201, so it is no {name} endpoint: pass {flag}")
        }
        _ => format!("{url} failed"),
    };
    let times = if attempts > 1 {
        format!(" {attempts} times")
    } else {
        String::new()
    };
    format!(
        "{text} ({}{times}{})",
        response.status,
        words(&response.body)
    )
}

/// The server's own words: the detail of problem details (RFC 9457), or the start of its text.
fn words(body: &str) -> String {
    let problem: Option<Value> = serde_json::from_str(body).ok();
    let detail = ["detail", "title", "message", "error"]
        .iter()
        .find_map(|key| problem.as_ref()?.get(key)?.as_str());
    let text = detail.unwrap_or(body).trim();
    let line = text.lines().next().unwrap_or_default();
    match line.is_empty() || line.starts_with('<') {
        true => String::new(),
        false => format!(": {}", line.chars().take(WORDS_MAX).collect::<String>()),
    }
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn the_detail_of_a_problem_is_passed_on() {
        assert_eq!(
            words(r#"{"title":"a","detail":"no video in it"}"#),
            ": no video in it"
        );
        assert_eq!(words(r#"{"error":"b"}"#), ": b");
        assert_eq!(words("plain\nmore"), ": plain");
        assert_eq!(words("<!doctype html><p>x"), "");
        assert_eq!(words(""), "");
        assert_eq!(words(&"x".repeat(999)).len(), 202);
    }
}
