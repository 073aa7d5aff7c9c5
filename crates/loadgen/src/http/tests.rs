//! Against small servers on the loopback.

use super::*;
use axum::Router;
use axum::response::{IntoResponse, Redirect};
use axum::routing::{get, post};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

/// A server on a port of its own, until the test's runtime ends.
pub(crate) async fn serve(app: Router) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    url.parse().unwrap()
}

fn request(method: Method, url: Url) -> Request {
    Request {
        method,
        url,
        headers: Vec::new(),
        body: String::new(),
    }
}

#[tokio::test]
async fn redirects_keep_method_and_body() {
    let app = Router::new()
        .route("/a", post(|| async { Redirect::temporary("b?x=1") }))
        .route("/b", post(|| async { Redirect::permanent("/c") }))
        .route(
            "/c",
            post(|body: String| async move { format!("got {body}") }),
        );
    let url = serve(app).await.join("/a").unwrap();
    let sent = Request {
        body: "this".to_owned(),
        ..request(Method::POST, url)
    };
    let response = send(sent).await.unwrap();
    assert_eq!(
        (response.status, response.body.as_str()),
        (StatusCode::OK, "got this")
    );
    assert_eq!(response.url.path(), "/c");
}

#[tokio::test]
async fn a_loop_of_redirects_ends() {
    let app = Router::new().route("/", get(|| async { Redirect::temporary("/") }));
    let error = send(request(Method::GET, serve(app).await))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("redirects more than"),
        "{error:#}"
    );
}

#[tokio::test]
async fn other_statuses_come_back_as_they_are() {
    let refuse = || async { (StatusCode::FORBIDDEN, "no").into_response() };
    let url = serve(Router::new().route("/", get(refuse))).await;
    let response = send(request(Method::GET, url)).await.unwrap();
    assert_eq!(
        (response.status, response.body.as_str()),
        (StatusCode::FORBIDDEN, "no")
    );
}

#[tokio::test]
async fn a_server_that_is_down_says_so() {
    let free = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let url = format!("http://{free}/").parse().unwrap();
    let error = format!("{:#}", send(request(Method::GET, url)).await.unwrap_err());
    assert!(
        error.contains(&format!("cannot connect to {free}: start the server")),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_of_another_protocol_says_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"220 mail ready\r\n").await.unwrap();
        // Held open: what was written has to be judged by itself.
        std::future::pending::<()>().await;
    });
    let error = send(request(Method::GET, url)).await.unwrap_err();
    assert!(
        error.to_string().contains("does not answer in HTTP"),
        "{error:#}"
    );
}

#[tokio::test]
async fn tls_is_refused_by_name() {
    let url = "https://localhost/".parse().unwrap();
    let error = send(request(Method::GET, url)).await.unwrap_err();
    assert!(error.to_string().contains("only http://"), "{error:#}");
}
