//! What Plenum reads and writes, against the independent `rtc-rtp` and `rtc-rtcp`.

mod codecs;
mod header;
mod rtcp_packets;
