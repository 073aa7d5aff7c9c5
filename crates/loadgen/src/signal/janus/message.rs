//! What Janus sends.

use anyhow::{Result, bail};
use serde::Deserialize;

/// Any message; which fields there are depends on its kind.
#[derive(Debug, Deserialize)]
pub(super) struct FromServer {
    janus: String,
    transaction: Option<String>,
    /// Of an event that ends something.
    reason: Option<String>,
    error: Option<CoreError>,
    #[serde(flatten)]
    reply: Reply,
}

/// The part that answers a request.
#[derive(Debug, Deserialize)]
pub(super) struct Reply {
    data: Option<Created>,
    plugindata: Option<PluginData>,
    jsep: Option<Jsep>,
}

#[derive(Debug, Deserialize)]
struct CoreError {
    code: u64,
    reason: String,
}

#[derive(Debug, Deserialize)]
struct Created {
    id: u64,
}

#[derive(Debug, Deserialize)]
struct PluginData {
    data: VideoRoom,
}

/// What the video room says.
#[derive(Debug, Deserialize)]
struct VideoRoom {
    error_code: Option<u64>,
    error: Option<String>,
    #[serde(default)]
    participants: Vec<Participant>,
}

#[derive(Debug, Deserialize)]
struct Participant {
    id: String,
    /// Whether it sends now.
    #[serde(default)]
    publisher: bool,
}

#[derive(Debug, Deserialize)]
struct Jsep {
    sdp: String,
}

impl FromServer {
    /// Why the client's stay is over, if this message ends it.
    pub(super) fn ended(&self) -> Option<String> {
        let reason = || self.reason.clone().unwrap_or_default();
        match self.janus.as_str() {
            "hangup" => Some(format!("hangup: {}", reason())),
            "timeout" | "detached" => Some(self.janus.clone()),
            _ => None,
        }
    }

    /// The answer to `transaction`, if this is it. An acknowledgement is not.
    pub(super) fn reply_to(self, transaction: &str) -> Result<Option<Reply>> {
        if self.transaction.as_deref() != Some(transaction) {
            return Ok(None);
        }
        match (self.janus.as_str(), self.error) {
            ("ack", _) => Ok(None),
            (_, Some(error)) => bail!("Janus refused: {} ({})", error.reason, error.code),
            _ => Ok(Some(self.reply)),
        }
    }
}

impl Reply {
    /// The id of what was created.
    pub(super) fn created(&self) -> Option<u64> {
        self.data.as_ref().map(|created| created.id)
    }

    /// Code and text, if the video room refused.
    pub(super) fn refusal(&self) -> Option<(u64, &str)> {
        let data = &self.plugindata.as_ref()?.data;
        let error = data.error.as_deref().unwrap_or("no reason given");
        data.error_code.map(|code| (code, error))
    }

    /// The description that came with it.
    pub(super) fn sdp(self) -> Option<String> {
        self.jsep.map(|jsep| jsep.sdp)
    }

    /// Who sends, in the order in which they are listed.
    pub(super) fn feeds(self) -> Vec<String> {
        let participants = self.plugindata.map(|plugin| plugin.data.participants);
        let participants = participants.unwrap_or_default().into_iter();
        let sending = participants.filter(|participant| participant.publisher);
        sending.map(|participant| participant.id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> FromServer {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn acknowledgements_are_waited_past() {
        let ack = read(r#"{"janus":"ack","session_id":1,"transaction":"7"}"#);
        assert!(ack.reply_to("7").unwrap().is_none());
        let text = r#"{"janus":"event","session_id":1,"sender":2,"transaction":"7","plugindata":
            {"plugin":"janus.plugin.videoroom","data":{"videoroom":"attached","room":"r"}},
            "jsep":{"type":"offer","sdp":"v=0"}}"#;
        assert!(read(text).reply_to("8").unwrap().is_none());
        let reply = read(text).reply_to("7").unwrap().unwrap();
        assert!(reply.refusal().is_none());
        assert_eq!(reply.sdp().as_deref(), Some("v=0"));
    }

    #[test]
    fn refusals_of_core_and_plugin_are_told() {
        let core =
            r#"{"janus":"error","transaction":"1","error":{"code":460,"reason":"No such plugin"}}"#;
        let error = read(core).reply_to("1").unwrap_err().to_string();
        assert_eq!(error, "Janus refused: No such plugin (460)");
        let plugin = r#"{"janus":"success","transaction":"1","plugindata":{"plugin":"p","data":
            {"videoroom":"event","error_code":427,"error":"Room r already exists"}}}"#;
        let reply = read(plugin).reply_to("1").unwrap().unwrap();
        assert_eq!(reply.refusal(), Some((427, "Room r already exists")));
    }

    #[test]
    fn only_those_who_send_are_feeds() {
        let text = r#"{"janus":"success","transaction":"1","plugindata":{"plugin":"p","data":
            {"videoroom":"participants","participants":[
            {"id":"a","publisher":true},{"id":"b","publisher":false},{"id":"c","publisher":true}]}}}"#;
        let reply = read(text).reply_to("1").unwrap().unwrap();
        assert_eq!(reply.feeds(), ["a", "c"]);
    }

    #[test]
    fn ends_are_seen() {
        let hangup = r#"{"janus":"hangup","session_id":1,"sender":2,"reason":"DTLS alert"}"#;
        assert_eq!(read(hangup).ended().as_deref(), Some("hangup: DTLS alert"));
        assert!(
            read(r#"{"janus":"webrtcup","session_id":1}"#)
                .ended()
                .is_none()
        );
    }
}
