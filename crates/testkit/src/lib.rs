//! A world for tests: virtual [`clock`], simulated [`network`], and participants on a WebRTC
//! stack that shares no code with Plenum.
//!
//! Nothing here does IO, spawns or sleeps. A ten-second call runs as fast as the processor
//! allows, and repeats from its seed: network, media and the shards draw from seeded streams
//! only. The `rtc` stack of the simulated clients makes its certificates and STUN transaction
//! ids from the system's randomness and reads the wall clock for certificate validity; neither
//! changes how many datagrams are sent or when, but their bytes differ between runs.

#![forbid(unsafe_code)]

pub mod client;
pub mod clock;
mod connections;
mod control;
pub mod error;
pub mod links;
pub mod media;
pub mod network;
pub mod outbox;
pub mod receive;
mod sdp;
pub mod seed;
pub mod session;
pub mod world;

pub use client::{Claim, Client, ClientConfig, DataConfig, ReceivedData};
pub use clock::Clock;
pub use error::TestkitError;
pub use links::{LinkPlan, ShardLinks};
pub use network::{Direction, LinkConfig, Network};
pub use world::{ClientId, World};
