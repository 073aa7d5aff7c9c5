//! The HTTP endpoints of the control plane.

mod assets;
mod bearer;
mod demo_token;
mod failure;
mod one_way;
mod problem;
mod rest;

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;

pub use problem::problem;

use crate::signaling::Shared;
use crate::ws;

/// The router; `plenum` adds its own routes.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    let mut router = Router::new().route("/v1/ws", get(ws::upgrade));
    for asset in assets::served(shared.config().dev) {
        router = router.route(asset.path, get(assets::serve));
    }
    router = router.merge(one_way::routes(&shared)).merge(rest::routes());
    if shared.config().dev {
        router = router.route("/demo/token", get(demo_token::mint));
    }
    router
        .method_not_allowed_fallback(wrong_method)
        .fallback(not_found)
        .with_state(shared)
}

async fn not_found() -> Response {
    problem(
        StatusCode::NOT_FOUND,
        "notFound",
        "Use one of the documented paths, such as /v1/ws or /plenum.js.",
    )
}

async fn wrong_method() -> Response {
    problem(
        StatusCode::METHOD_NOT_ALLOWED,
        "wrongMethod",
        "Use a method that is documented for this path; most take GET.",
    )
}
