//! The crate's one error: something was refused, with a code for programs and a sentence for
//! people that says what to change.

use plenum_types::Mid;

use crate::messages::{ErrorCode, ServerMessage};

/// Why something was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {sentence}", code.as_str())]
pub struct Refusal {
    /// Stable code.
    pub code: ErrorCode,
    /// One sentence that says what to change.
    pub sentence: String,
    /// The m-lines it is about.
    pub mids: Vec<Mid>,
}

impl Refusal {
    /// A refusal that is about no m-line in particular.
    pub fn new(code: ErrorCode, sentence: impl Into<String>) -> Self {
        Self {
            code,
            sentence: sentence.into(),
            mids: Vec::new(),
        }
    }

    /// A refusal about one m-line.
    pub fn at(code: ErrorCode, mid: Mid, sentence: impl Into<String>) -> Self {
        Self {
            code,
            sentence: sentence.into(),
            mids: vec![mid],
        }
    }

    /// The message that tells the client.
    pub fn message(&self, fatal: bool, offer: Option<u32>) -> ServerMessage {
        ServerMessage::Error {
            code: self.code,
            message: self.sentence.clone(),
            fatal,
            r#ref: offer,
            mids: self
                .mids
                .iter()
                .map(|mid| mid.as_str().to_owned())
                .collect(),
        }
    }
}
