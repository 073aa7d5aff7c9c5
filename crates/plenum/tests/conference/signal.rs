//! One client's WebSocket: join, one offer, one answer; then it is kept open.

use anyhow::{Context, Result, anyhow, bail};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

pub(crate) struct Signal {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Signal {
    /// Opens the WebSocket of the server at `url` (http or https).
    pub(crate) async fn open(url: &str, token: &str) -> Result<Self> {
        let url = format!(
            "{}/v1/ws",
            url.trim_end_matches('/').replacen("http", "ws", 1)
        );
        let mut request = url.as_str().into_client_request()?;
        let protocols = format!("plenum.v1, token.{token}");
        request
            .headers_mut()
            .insert("Sec-WebSocket-Protocol", protocols.parse()?);
        let (socket, _) = connect_async(request)
            .await
            .with_context(|| format!("no Plenum server at {url}: start it, or pass --url"))?;
        Ok(Self { socket })
    }

    /// Joins, sends the offer and returns the answer's SDP.
    pub(crate) async fn join(&mut self, name: &str, offer: Value) -> Result<String> {
        self.send(&json!({ "type": "join", "name": name, "sdk": "plenum-load" }))
            .await?;
        self.send(&offer).await?;
        loop {
            let message = self.next().await?;
            match message["type"].as_str() {
                Some("answer") => {
                    let sdp = message["sdp"]
                        .as_str()
                        .ok_or_else(|| anyhow!("answer without SDP"))?;
                    return Ok(sdp.to_owned());
                }
                Some("error") => bail!(
                    "the server refused: {} ({})",
                    message["message"].as_str().unwrap_or_default(),
                    message["code"].as_str().unwrap_or_default()
                ),
                _ => {}
            }
        }
    }

    /// Reads and forgets until the server closes.
    pub(crate) async fn idle(&mut self) {
        while self.next().await.is_ok() {}
    }

    /// Says goodbye.
    pub(crate) async fn leave(&mut self) {
        // The server may have gone first; then there is nobody to tell.
        let _ = self.send(&json!({ "type": "leave" })).await;
        let _ = self.socket.close(None).await;
    }

    async fn send(&mut self, message: &Value) -> Result<()> {
        Ok(self.socket.send(Message::text(message.to_string())).await?)
    }

    async fn next(&mut self) -> Result<Value> {
        while let Some(message) = self.socket.next().await {
            if let Message::Text(text) = message? {
                return Ok(serde_json::from_str(text.as_str())?);
            }
        }
        bail!("the server closed the WebSocket")
    }
}
