//! An expanded AES-GCM key, in the library that is faster on this processor.
//!
//! Both are assembly behind the same interface. AWS-LC uses AVX-512 where it is there, and falls
//! back to code from before vector AES; ring has code for vector AES with AVX2. So the processors
//! in between (AMD before Zen 4, Intel client parts, guests without AVX-512) are ring's; all
//! others, other architectures included, are AWS-LC's.

use super::super::cipher::Refused;
use super::TAG;
use crate::MediaError;

/// See the module.
pub(super) enum GcmKey {
    AwsLc(aws_lc_rs::aead::LessSafeKey),
    /// Boxed, as the other keeps its expanded key on the heap too.
    Ring(Box<ring::aead::LessSafeKey>),
}

impl GcmKey {
    /// Expands a key of 16 or 32 bytes.
    pub(super) fn new(bytes: &[u8]) -> Result<Self, MediaError> {
        if suits_ring() {
            Self::ring(bytes)
        } else {
            Self::aws_lc(bytes)
        }
    }

    fn aws_lc(bytes: &[u8]) -> Result<Self, MediaError> {
        use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, LessSafeKey, UnboundKey};
        let algorithm = if bytes.len() == 32 {
            &AES_256_GCM
        } else {
            &AES_128_GCM
        };
        let key = UnboundKey::new(algorithm, bytes).map_err(|_| MediaError::SrtpKey)?;
        Ok(Self::AwsLc(LessSafeKey::new(key)))
    }

    fn ring(bytes: &[u8]) -> Result<Self, MediaError> {
        use ring::aead::{AES_128_GCM, AES_256_GCM, LessSafeKey, UnboundKey};
        let algorithm = if bytes.len() == 32 {
            &AES_256_GCM
        } else {
            &AES_128_GCM
        };
        let key = UnboundKey::new(algorithm, bytes).map_err(|_| MediaError::SrtpKey)?;
        Ok(Self::Ring(Box::new(LessSafeKey::new(key))))
    }

    /// Encrypts `text` in place and authenticates it with `associated`; gives the tag. A nonce
    /// must not be used for two texts.
    pub(super) fn seal(
        &self,
        nonce: [u8; 12],
        associated: &[u8],
        text: &mut [u8],
    ) -> Result<[u8; TAG], Refused> {
        let mut bytes = [0; TAG];
        match self {
            Self::AwsLc(key) => {
                use aws_lc_rs::aead::{Aad, Nonce};
                let nonce = Nonce::assume_unique_for_key(nonce);
                let tag = key
                    .seal_in_place_separate_tag(nonce, Aad::from(associated), text)
                    .map_err(|_| Refused)?;
                bytes.copy_from_slice(tag.as_ref());
            }
            Self::Ring(key) => {
                use ring::aead::{Aad, Nonce};
                let nonce = Nonce::assume_unique_for_key(nonce);
                let tag = key
                    .seal_in_place_separate_tag(nonce, Aad::from(associated), text)
                    .map_err(|_| Refused)?;
                bytes.copy_from_slice(tag.as_ref());
            }
        }
        Ok(bytes)
    }

    /// Authenticates `associated` and `text` and decrypts `text` in place.
    pub(super) fn open(
        &self,
        nonce: [u8; 12],
        associated: &[u8],
        tag: &[u8],
        text: &mut [u8],
    ) -> Result<(), Refused> {
        match self {
            Self::AwsLc(key) => {
                use aws_lc_rs::aead::{Aad, Nonce};
                let nonce = Nonce::assume_unique_for_key(nonce);
                key.open_in_place_separate_tag(nonce, Aad::from(associated), tag, text)
                    .map_err(|_| Refused)?;
            }
            Self::Ring(key) => {
                use ring::aead::{Aad, Nonce, Tag};
                let nonce = Nonce::assume_unique_for_key(nonce);
                let tag = Tag::try_from(tag).map_err(|_| Refused)?;
                key.open_in_place_separate_tag(nonce, Aad::from(associated), tag, text, 0..)
                    .map_err(|_| Refused)?;
            }
        }
        Ok(())
    }
}

#[cfg(target_arch = "x86_64")]
fn suits_ring() -> bool {
    let has_vector_aes = is_x86_feature_detected!("vaes")
        && is_x86_feature_detected!("vpclmulqdq")
        && is_x86_feature_detected!("avx2");
    let has_avx512 = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl");
    has_vector_aes && !has_avx512
}

#[cfg(not(target_arch = "x86_64"))]
const fn suits_ring() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Encrypts and decrypts with every pair of libraries, at lengths around their block sizes.
    #[test]
    fn the_libraries_understand_each_other() {
        for key in [&[7; 16][..], &[9; 32][..]] {
            let both = || [GcmKey::aws_lc(key).unwrap(), GcmKey::ring(key).unwrap()];
            for length in [0, 1, 15, 16, 17, 127, 128, 1_100, 1_461] {
                let text: Vec<u8> = (0..length).map(|at| at as u8).collect();
                for (from, to) in both().iter().flat_map(|from| {
                    both()
                        .into_iter()
                        .map(move |to| (from, to))
                        .collect::<Vec<_>>()
                }) {
                    let mut sealed = text.clone();
                    let mut tag = from.seal([3; 12], b"header", &mut sealed).unwrap();
                    let mut opened = sealed.clone();
                    to.open([3; 12], b"header", &tag, &mut opened).unwrap();
                    assert_eq!(opened, text);
                    assert!(
                        to.open([3; 12], b"Header", &tag, &mut sealed.clone())
                            .is_err()
                    );
                    tag[0] ^= 1;
                    assert!(to.open([3; 12], b"header", &tag, &mut sealed).is_err());
                }
            }
        }
    }
}
