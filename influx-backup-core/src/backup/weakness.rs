//! What the rules do when a test turns one of them off.

use super::{Weakness, witness::DbsListings};
use crate::{
    certificate::{Certificate, Clause, evidence::Lacking},
    inventory::{Group, LISTING_ORDER, Lister},
};

impl Weakness {
    /// A lister in the order that is left.
    pub(super) fn lister(weakness: Option<Self>) -> Lister {
        let [summaries, details, compacted, wal, checkpoints, snapshots, parquet, rest, catalog, cluster, licences] =
            LISTING_ORDER;
        let nodes = |nodes: [Group; 4]| {
            let [a, b, c, d] = nodes;
            [summaries, details, compacted, a, b, c, d, rest, catalog, cluster, licences]
        };
        Lister::in_order(match weakness {
            Some(Self::DocumentedOrder) => nodes([snapshots, parquet, wal, checkpoints]),
            Some(Self::CatalogFirst) => {
                [catalog, cluster, licences, summaries, details, compacted, wal, checkpoints, snapshots, parquet, rest]
            }
            _ => LISTING_ORDER,
        })
    }

    /// Whether a certificate counts as closed.
    pub(super) fn closes(weakness: Option<Self>, certificate: &Certificate) -> bool {
        let ignored = |clause: &Clause| weakness == Some(Self::Ignores(*clause));
        certificate.open().iter().all(ignored)
    }

    /// Which listings count as proof that a file is absent.
    pub(super) fn lacking(weakness: Option<Self>, listings: DbsListings) -> Box<dyn Lacking> {
        match weakness {
            Some(Self::AnyAbsence) => Box::new(Anything),
            _ => Box::new(listings),
        }
    }
}

/// Everything that is not held counts as absent.
#[derive(Debug)]
struct Anything;

impl Lacking for Anything {
    fn lacks(&self, _node: &str, _path: &str) -> bool {
        true
    }
}
