//! Rooms without sockets: what clients and shards say, and what comes of it.

mod chronicle;
mod data;
mod drain;
mod harness;
mod media;
mod offers;
mod permit;
mod resume;
mod shards;
mod stays;
mod token;
