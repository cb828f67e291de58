//! Manifests and checkpoints of any size: parsed while they are read, a piece at a time.

use std::io::{self, Read};

use bytes::{Buf, Bytes};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::Found;
use crate::{
    concurrent,
    error::{Error, Result},
    judge::fact::Fact,
    key::Key,
    layout::Component,
    location::Location,
    manifest::PIECE,
};

/// Whether an object of this kind and size is read in pieces.
pub(super) const fn is_large(component: Component, size: u64) -> bool {
    matches!(component, Component::Snapshot | Component::SnapshotCheckpoint) && size > PIECE
}

/// Parses what `read` hands on, unless it finds that something is wrong with the object.
pub(super) async fn parse<F: Future<Output = Result<Option<Found>>>>(
    component: Component,
    read: impl FnOnce(Sender<Bytes>) -> F,
) -> Result<Found> {
    let (sender, pieces) = channel(1);
    let parse = concurrent::blocking(move || Fact::read(component, Pieces { pieces, piece: Bytes::new() }));
    let (read, fact) = tokio::join!(read(sender), parse);
    let fact = fact.map_err(|error| Error::panicked("parse", &error.to_string()))?;
    Ok(read?.unwrap_or(Found::Fact(fact)))
}

/// Hands on the pieces of an object of a tree that no manifest describes.
pub(super) async fn read(location: &Location, key: &Key, size: u64, pieces: Sender<Bytes>) -> Result<Option<Found>> {
    let _held = location.hold(PIECE).await;
    let mut at = 0;
    while at < size {
        let piece = location.get_range(key, at..size.min(at + PIECE)).await?;
        let Some(piece) = piece else { return Ok(Some(Found::Missing)) };
        if piece.is_empty() {
            break;
        }
        at += piece.len() as u64;
        if pieces.send(piece).await.is_err() {
            // What was read so far cannot be parsed.
            break;
        }
    }
    Ok(None)
}

/// Pieces as a file.
struct Pieces {
    pieces: Receiver<Bytes>,
    piece: Bytes,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            let Some(piece) = self.pieces.blocking_recv() else { return Ok(0) };
            self.piece = piece;
        }
        let length = buffer.len().min(self.piece.len());
        self.piece.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}
