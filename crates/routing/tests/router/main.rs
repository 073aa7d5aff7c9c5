//! The router from outside: real packets in, real packets out, and a model of a receiver that
//! checks them.

mod allocation;
mod continuity;
mod descriptor;
mod explain;
mod joining;
mod keyframes;
mod layers_wanted;
mod packets;
mod policies;
mod publisher;
mod publisher_changes;
mod receiver;
mod reports;
mod retransmission;
mod spatial;
mod voices;
mod world;
