//! A peer against an independent client, over a network in virtual time.

mod call;
mod channels;
mod client;
mod endings;
mod handshake;
mod hostile;
mod media;
