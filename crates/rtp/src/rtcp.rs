//! RTCP compounds: reading in place, and writing (RFC 3550 §6, RFC 4585, RFC 5104, REMB draft).

mod iterators;
mod reader;
#[cfg(test)]
mod tests;
mod wire;
mod writer;

pub use iterators::{FirEntries, NackPairs, ReportBlock, ReportBlocks, Ssrcs};
pub use reader::{RtcpPacket, RtcpPackets, SenderInfo};
pub use writer::RtcpWriter;
