//! [`Misbehavior`]: what a store answers against the protocol. Nothing is made of such an answer.

use crate::units::ByteSize;

/// An answer that no store that works gives. Asking again does not help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Misbehavior {
    #[error(
        "it redirects to `{host}`, and a request is only sent to the host that was named: check the endpoint, and the region of \
         the bucket"
    )]
    Redirect { host: String },
    #[error("it redirects again and again")]
    Redirects,
    #[error("the answer is longer than {most}, which none of its kind is")]
    TooLong { most: ByteSize },
    #[error("the headers of the answer are too long")]
    Headers,
    #[error("more bytes of an object are sent than the {asked} that are announced")]
    TooMany { asked: u64 },
    #[error("the answer announces a length and sends chunks as well")]
    TwoLengths,
    #[error("{announced} bytes are announced for a range of {asked}")]
    OtherLength { announced: u64, asked: u64 },
    #[error("another range of an object is sent than the one that was asked for")]
    OtherRange,
    #[error("the answer is encoded as `{encoding}`, which was not asked for")]
    Encoded { encoding: String },
    #[error("the listing does not end: {flaw}")]
    Endless { flaw: &'static str },
}
