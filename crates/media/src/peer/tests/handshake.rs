//! From the first check to media keys.

use plenum_types::{CloseReason, DropReason, FingerprintAlgorithm, SrtpProfile};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile as Offer;

use super::call::{Call, config, path};
use super::client::Client;
use crate::peer::test_clock::at;
use crate::{Certificate, MediaError, Peer, PeerEvent, Wakeup};

#[test]
fn a_client_connects() {
    let mut call = Call::new();
    call.connect(vec![Offer::Srtp_Aead_Aes_128_Gcm]);
    assert!(call.run_until(2_000, |call| call.client.session.is_some()));
    // Two round trips for the cookie and the hello, one and a half for keys: 10 ms each way.
    assert!(call.now_ms <= 50 + 65, "took until {} ms", call.now_ms);
    let profile = SrtpProfile::AeadAes128Gcm;
    assert_eq!(
        call.events,
        [
            PeerEvent::PathAdded(path(1).remote),
            PeerEvent::SelectedPathChanged(path(1)),
            PeerEvent::Connected { profile },
        ]
    );
    assert_eq!(
        call.client.server_fingerprint(),
        call.certificate.fingerprint()
    );
    assert_eq!(call.refused, []);
    assert!(call.largest_datagram <= 1_200);
}

#[test]
fn our_preference_of_profiles_decides() {
    let cases = [
        (
            vec![
                Offer::Srtp_Aes128_Cm_Hmac_Sha1_80,
                Offer::Srtp_Aead_Aes_256_Gcm,
                Offer::Srtp_Aead_Aes_128_Gcm,
            ],
            SrtpProfile::AeadAes128Gcm,
        ),
        (
            vec![
                Offer::Srtp_Aes128_Cm_Hmac_Sha1_80,
                Offer::Srtp_Aead_Aes_256_Gcm,
            ],
            SrtpProfile::AeadAes256Gcm,
        ),
        (
            vec![
                Offer::Srtp_Aes128_Cm_Hmac_Sha1_32,
                Offer::Srtp_Aes128_Cm_Hmac_Sha1_80,
            ],
            SrtpProfile::Aes128CmSha1_80,
        ),
    ];
    for (offer, profile) in cases {
        let mut call = Call::new();
        call.connect(offer);
        assert!(call.run_until(2_000, |call| call.client.profile == Some(profile)));
        assert!(call.events.contains(&PeerEvent::Connected { profile }));
    }
}

#[test]
fn without_a_common_profile_there_is_no_call() {
    for offer in [vec![Offer::Srtp_Aes128_Cm_Hmac_Sha1_32], vec![]] {
        let mut call = Call::new();
        call.connect(offer);
        call.run(500);
        let last = call.events.last();
        assert_eq!(last, Some(&PeerEvent::Closed(CloseReason::DtlsFailed)));
        assert!(call.client.session.is_none());
    }
}

#[test]
fn every_hash_function_of_fingerprints_works() {
    for algorithm in [
        FingerprintAlgorithm::Sha256,
        FingerprintAlgorithm::Sha384,
        FingerprintAlgorithm::Sha512,
    ] {
        let client = Client::new();
        let fingerprint = client.fingerprint(algorithm);
        let mut call = Call::with_fingerprint(client, fingerprint, 1);
        call.connect(vec![Offer::Srtp_Aead_Aes_128_Gcm]);
        assert!(call.run_until(2_000, |call| call.client.session.is_some()));
    }
}

#[test]
fn another_certificate_than_the_signalled_one_is_refused() {
    let other = Client::new().fingerprint(FingerprintAlgorithm::Sha256);
    let mut call = Call::with_fingerprint(Client::new(), other, 1);
    call.connect(vec![Offer::Srtp_Aead_Aes_128_Gcm]);
    call.run(1_000);
    let last = call.events.last();
    assert_eq!(last, Some(&PeerEvent::Closed(CloseReason::DtlsFailed)));
    assert!(call.client.session.is_none());
    assert!(call.client.failed, "the client is told by an alert");
    assert_eq!(call.peer.poll_timeout(), None);
}

#[test]
fn a_third_of_all_datagrams_may_be_lost() {
    for seed in 0..24 {
        let client = Client::new();
        let fingerprint = client.fingerprint(FingerprintAlgorithm::Sha256);
        let mut call = Call::with_fingerprint(client, fingerprint, seed);
        call.loss = 0.3;
        call.connect(vec![Offer::Srtp_Aead_Aes_128_Gcm]);
        let connected = call.run_until(14_000, |call| call.client.session.is_some());
        assert!(
            connected,
            "seed {seed}: {:?} {:?}",
            call.events, call.refused
        );
    }
}

#[test]
fn a_lost_flight_of_ours_is_repeated_without_the_client_asking() {
    let mut call = Call::new();
    call.connect(vec![Offer::Srtp_Aead_Aes_128_Gcm]);
    // Cookie exchange done, then our long flight is lost.
    call.run(21);
    call.loss = 1.0;
    call.run(12);
    call.loss = 0.0;
    let (_, wakeup) = call.peer.poll_timeout().unwrap();
    assert_eq!(wakeup, Wakeup::DtlsRetransmit);
    assert!(call.run_until(400, |call| call.client.session.is_some()));
}

#[test]
fn dtls_before_the_nomination_works() {
    let mut call = Call::new();
    call.checks = false;
    let check = call
        .client
        .check("here:there", super::call::PASSWORD, false);
    call.peer.handle_stun(at(0), path(1), &check).unwrap();
    call.connect(vec![Offer::Srtp_Aead_Aes_128_Gcm]);
    assert!(call.run_until(2_000, |call| call.client.session.is_some()));
}

#[test]
fn dtls_from_an_address_that_is_not_proven_is_refused() {
    let mut call = Call::new();
    call.checks = false;
    call.connect(vec![Offer::Srtp_Aead_Aes_128_Gcm]);
    call.run(100);
    assert_eq!(call.refused, [DropReason::UnknownAddress]);
    assert_eq!(call.events, []);
}

#[test]
fn malformed_dtls_changes_nothing() {
    let mut call = Call::new();
    call.run(10);
    for bytes in [
        &[22][..],
        &[0; 40],
        &[22; 100],
        &[23, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 7],
    ] {
        let result = call.peer.handle_dtls(call.now(), path(1), bytes);
        assert_eq!(result, Err(DropReason::DtlsRefused));
    }
    call.connect(vec![Offer::Srtp_Aead_Aes_128_Gcm]);
    assert!(call.run_until(2_000, |call| call.client.session.is_some()));
}

#[test]
fn a_malformed_configuration_is_refused() {
    let certificate = Certificate::generate().unwrap();
    let mut rng = StdRng::seed_from_u64(1);
    let mut fingerprint = certificate.fingerprint();
    fingerprint.bytes.pop();
    let result = Peer::new(&config(fingerprint), &certificate, at(0), &mut rng);
    assert_eq!(result.err(), Some(MediaError::FingerprintLength));
}
