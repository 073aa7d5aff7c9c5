//! What a participant can be made to say by RTCP, true or not.

use std::time::Instant;

use plenum_types::{Bitrate, SequenceNumber};
use rtc::rtcp::Packet;
use rtc::rtcp::payload_feedbacks::full_intra_request::{FirEntry, FullIntraRequest};
use rtc::rtcp::payload_feedbacks::receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate;
use rtc::rtcp::transport_feedbacks::transport_layer_cc::{
    PacketStatusChunk, RecvDelta, RunLengthChunk, StatusChunkTypeTcc, SymbolTypeTcc,
    TransportLayerCc,
};
use rtc::rtcp::transport_feedbacks::transport_layer_nack::{NackPair, TransportLayerNack};
use rtc::rtp_transceiver::RTCRtpReceiverId;

use super::Client;

/// A claim about what a slot receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The way carries this much (REMB).
    Carries(Bitrate),
    /// Two hundred and fifty times 17 packets from this number on are missing.
    Misses(SequenceNumber),
    /// A keyframe is needed (FIR).
    NeedsKeyframe,
    /// A hundred packets from this transport-wide number on came, all at this time in units of
    /// 64 ms.
    Got(u16, u32),
}

impl Client {
    /// Says something about the slot at `index`; nothing if no packet has come on it.
    pub fn claim(&mut self, now: Instant, index: usize, claim: Claim) {
        let slot = &self.slots[index];
        let Some(ssrc) = slot.stream.ssrc() else {
            return;
        };
        let id = RTCRtpReceiverId::from(slot.transceiver);
        if let Some(mut receiver) = self.connection.rtp_receiver(id) {
            let said = receiver.write_rtcp(now, vec![packet(claim, ssrc.0)]);
            self.errors += u64::from(said.is_err());
        }
    }
}

fn packet(claim: Claim, media_ssrc: u32) -> Box<dyn Packet> {
    let sender_ssrc = 1;
    match claim {
        Claim::Carries(bitrate) => Box::new(ReceiverEstimatedMaximumBitrate {
            sender_ssrc,
            bitrate: bitrate.bits_per_second() as f32,
            ssrcs: vec![media_ssrc],
        }),
        Claim::Misses(from) => Box::new(TransportLayerNack {
            sender_ssrc,
            media_ssrc,
            nacks: (0..250_u16)
                .map(|pair| NackPair {
                    packet_id: from.plus(pair * 17).0,
                    lost_packets: u16::MAX,
                })
                .collect(),
        }),
        Claim::NeedsKeyframe => Box::new(FullIntraRequest {
            sender_ssrc,
            media_ssrc,
            fir: vec![FirEntry {
                ssrc: media_ssrc,
                sequence_number: 1,
            }],
        }),
        Claim::Got(base, time) => Box::new(TransportLayerCc {
            sender_ssrc,
            media_ssrc,
            base_sequence_number: base,
            packet_status_count: 100,
            reference_time: time & 0x00ff_ffff,
            fb_pkt_count: 0,
            packet_chunks: vec![PacketStatusChunk::RunLengthChunk(RunLengthChunk {
                type_tcc: StatusChunkTypeTcc::RunLengthChunk,
                packet_status_symbol: SymbolTypeTcc::PacketReceivedSmallDelta,
                run_length: 100,
            })],
            recv_deltas: vec![
                RecvDelta {
                    type_tcc_packet: SymbolTypeTcc::PacketReceivedSmallDelta,
                    delta: 0,
                };
                100
            ],
        }),
    }
}
