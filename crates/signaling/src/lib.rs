//! The control plane of Plenum: rooms, negotiation, tokens, and the WebSocket adapter.

#![forbid(unsafe_code)]

pub mod messages;
