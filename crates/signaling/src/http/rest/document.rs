//! What `/openapi.json` says beside the paths.

use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Components, OpenApi as Openapi};
use utoipa::{IntoResponses, Modify, OpenApi, ToSchema};

/// The document; paths and schemas are added with the routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Plenum",
        description = "Rooms and participants of a Plenum server, for the backend of an app.",
    ),
    servers((url = "/")),
    security(("token" = [])),
    modifiers(&Token),
    components(schemas(Problem)),
)]
pub(super) struct Document;

/// Access tokens, as clients use them.
struct Token;

impl Modify for Token {
    fn modify(&self, document: &mut Openapi) {
        let mut scheme = Http::new(HttpAuthScheme::Bearer);
        scheme.bearer_format = Some("JWT".to_owned());
        scheme.description = Some(
            "A token with the grant video.roomAdmin, for one room or, without video.room, for all; \
             video.roomList to list rooms; video.roomCreate to open and close them."
                .to_owned(),
        );
        document
            .components
            .get_or_insert_with(Components::default)
            .add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

/// What went wrong (RFC 9457), as `application/problem+json`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what problem() writes")]
pub(super) struct Problem {
    /// Stable: `/problems/<code>`.
    r#type: String,
    /// The status in words.
    title: String,
    status: u16,
    /// One sentence that says what to change.
    detail: String,
}

/// Whoever asks may not.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes what handlers answer")]
pub(super) enum TokenProblems {
    /// No valid token.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(#[to_schema] Problem),
    /// The token lacks the grant for this: see the security scheme.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(#[to_schema] Problem),
}

/// The path names nobody.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes what handlers answer")]
pub(super) enum NameProblems {
    /// The path or the body is not what it must be.
    #[response(status = 400, content_type = "application/problem+json")]
    BadPath(#[to_schema] Problem),
    /// No such room or participant.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(#[to_schema] Problem),
}

/// The body cannot be read.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes what handlers answer")]
pub(super) enum BodyProblems {
    /// The path or the body is not what it must be.
    #[response(status = 400, content_type = "application/problem+json")]
    BadBody(#[to_schema] Problem),
    /// The body is too large.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(#[to_schema] Problem),
    /// The body is not JSON.
    #[response(status = 415, content_type = "application/problem+json")]
    WrongType(#[to_schema] Problem),
}
