//! [`RecoveryPoint`]: where a node can be recovered to, and [`RecoveryTimes`]: its times alone.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Where a node can be recovered to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RecoveryPoint {
    /// The node.
    pub node: String,
    /// The newest snapshot: what is certain even without any WAL.
    pub guaranteed: Option<Guaranteed>,
    /// The last WAL file held above it: what a server replays.
    pub reached: Option<Reached>,
}

impl RecoveryPoint {
    /// What the node acknowledged after this time is lost if the cluster dies now; `None` where it holds nothing.
    #[must_use]
    pub fn time(&self) -> Option<DateTime<Utc>> {
        let guaranteed = self.guaranteed.as_ref().map(|guaranteed| guaranteed.time);
        self.reached.as_ref().map(|reached| reached.time).or(guaranteed)
    }
}

/// The newest snapshot of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Guaranteed {
    /// Its sequence number.
    pub snapshot: u64,
    /// The last WAL file that it covers.
    pub wal: u64,
    /// When it was stored.
    pub time: DateTime<Utc>,
}

/// The last WAL file of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reached {
    /// Its number.
    pub wal: u64,
    /// When it was stored: what was acknowledged later is lost if the cluster dies now.
    pub time: DateTime<Utc>,
}

/// How far a node can be recovered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RecoveryTimes {
    /// When the newest snapshot was stored: what is certain even without any WAL. `None` where there is none.
    pub guaranteed: Option<DateTime<Utc>>,
    /// When the last that is held was stored: what the node acknowledged later is lost if the cluster dies now. `None` where
    /// the node holds nothing.
    pub reached: Option<DateTime<Utc>>,
}

impl RecoveryTimes {
    /// Those of each node, by its id.
    pub(crate) fn by_node(points: &[RecoveryPoint]) -> BTreeMap<String, Self> {
        points.iter().map(|point| (point.node.clone(), point.into())).collect()
    }
}

impl From<&RecoveryPoint> for RecoveryTimes {
    fn from(point: &RecoveryPoint) -> Self {
        Self { guaranteed: point.guaranteed.as_ref().map(|guaranteed| guaranteed.time), reached: point.time() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::Certificate;

    fn time(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).expect("a time")
    }

    #[test]
    fn each_node_has_the_time_of_its_snapshot_and_of_the_last_that_is_held() {
        let snapshot = || Some(Guaranteed { snapshot: 7, wal: 40, time: time(100) });
        let wal = || Some(Reached { wal: 43, time: time(200) });
        let point = |node: &str, guaranteed, reached| RecoveryPoint { node: node.to_owned(), guaranteed, reached };
        let certificate = Certificate {
            recovery: vec![
                point("both", snapshot(), wal()),
                point("no_wal", snapshot(), None),
                point("no_snapshot", None, wal()),
                point("nothing", None, None),
            ],
            ..Certificate::new(Vec::new())
        };
        let times = |guaranteed: Option<i64>, reached: Option<i64>| RecoveryTimes {
            guaranteed: guaranteed.map(time),
            reached: reached.map(time),
        };
        let expected = BTreeMap::from([
            ("both".to_owned(), times(Some(100), Some(200))),
            ("no_wal".to_owned(), times(Some(100), Some(100))),
            ("no_snapshot".to_owned(), times(None, Some(200))),
            ("nothing".to_owned(), times(None, None)),
        ]);
        assert_eq!(certificate.recovery_points(), expected);
        let json = serde_json::to_value(expected["no_wal"]).expect("serializes");
        let stored = "1970-01-01T00:01:40Z";
        assert_eq!(json, serde_json::json!({ "guaranteed": stored, "reached": stored }));
    }
}
