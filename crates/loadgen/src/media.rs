//! What publishers send: packets with valid headers, descriptors and timing. The picture itself is
//! noise; behind the descriptor stands a stamp of when the packet was sent.
//!
//! | file | one idea |
//! |---|---|
//! | `publisher` | the tracks of one client, and when their next frame is due |
//! | `encoding` | one RTP stream: numbers, history for retransmission, sender reports |
//! | `header` | RTP header and header extensions of what is sent |
//! | `payload` | valid payloads of VP8, H.264 and Opus |
//! | `split` | cutting a frame into packets |
//! | `speech` | who speaks |
//! | `stamp` | when a packet was sent, inside of it |

mod encoding;
mod header;
mod payload;
mod publisher;
mod speech;
mod split;
mod stamp;

pub(crate) use payload::PAYLOAD_MIN;
pub(crate) use publisher::{LayerPlan, Publisher, Sound, TrackPlan, TrackSource};
pub(crate) use speech::Speech;
pub(crate) use stamp::Stamp;
