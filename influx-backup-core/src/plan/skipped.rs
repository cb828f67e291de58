//! What a plan skips, and why.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::naming::visible;
use crate::{key::Key, layout::Component, named::named, units::ByteSize};

/// Objects that a plan skips for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Skipped {
    /// What.
    pub item: SkippedItem,
    /// Why.
    pub reason: Reason,
    /// How many objects. 0 where they were not listed.
    pub objects: u64,
    /// How many bytes.
    pub bytes: u64,
}

/// What a plan skips.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SkippedItem {
    /// Objects that have nothing in common but the reason.
    Objects,
    /// All objects of a kind.
    Component(Component),
    /// One object.
    Object(Key),
    /// A node.
    Node(String),
    /// A top-level name of the source.
    Name(String),
}

impl SkippedItem {
    /// Which kind of item, by its name in JSON.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Objects => "objects",
            Self::Component(_) => "component",
            Self::Object(_) => "object",
            Self::Node(_) => "node",
            Self::Name(_) => "name",
        }
    }

    /// Which one of its kind; `None` for [`Objects`](Self::Objects).
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Objects => None,
            Self::Component(component) => Some(component.as_str()),
            Self::Object(key) => Some(key.as_str()),
            Self::Node(name) | Self::Name(name) => Some(name),
        }
    }
}

impl Skipped {
    /// Something that is skipped and was not listed.
    pub(crate) fn unlisted(item: SkippedItem, reason: Reason) -> Self {
        Self { item, reason, objects: 0, bytes: 0 }
    }

    /// A license file that is not valid at the target.
    pub(crate) fn license(key: &Key, size: u64) -> Self {
        Self { item: SkippedItem::Object(key.clone()), reason: Reason::LicenseElsewhere, objects: 1, bytes: size }
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = self.reason.text();
        let bytes = ByteSize(self.bytes);
        let objects = match self.objects {
            1 => "1 object".to_owned(),
            objects => format!("{objects} objects"),
        };
        match (&self.item, self.objects) {
            (SkippedItem::Objects, _) => write!(f, "{objects} {reason}, {bytes}"),
            (item, 0) => write!(f, "{item} ({reason})"),
            (item, _) => write!(f, "{item}, {objects}, {bytes} ({reason})"),
        }
    }
}

impl fmt::Display for SkippedItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Objects => f.write_str("objects"),
            Self::Component(component) => f.write_str(name(*component)),
            Self::Object(key) => f.write_str(&visible(key)),
            Self::Node(id) => write!(f, "node {}", visible(id)),
            Self::Name(name) => f.write_str(&visible(name)),
        }
    }
}

/// The name of a kind as it is found in a store.
fn name(component: Component) -> &'static str {
    match component {
        Component::TableSnapshot => "table-snapshots",
        Component::TableIndex => "db-indices",
        Component::TableIndexMarker => "table-index-conversion-completed",
        _ => "other objects",
    }
}

/// Why something is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// InfluxDB makes it again.
    Derived,
    /// The caller excluded the node.
    NodeExcluded,
    /// The backup has this version already.
    Held,
    /// The license is bound to another place.
    LicenseElsewhere,
    /// It belongs to no node and no cluster.
    Foreign,
}

named!(Reason, "reason", {
    Derived => "derived",
    NodeExcluded => "node_excluded",
    Held => "held",
    LicenseElsewhere => "license_elsewhere",
    Foreign => "foreign",
});

impl Reason {
    /// The reason in words.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Derived => "derived: InfluxDB makes it again",
            Self::NodeExcluded => "excluded by the caller",
            Self::Held => "already in the backup",
            Self::LicenseElsewhere => "bound to another place: ask InfluxData support for a new license",
            Self::Foreign => "outside every node and the cluster",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_items_have_the_names_that_json_has() {
        let key = Key::parse("n1/wal/1.wal").expect("a key");
        for (item, name) in [
            (SkippedItem::Objects, None),
            (SkippedItem::Component(Component::TableIndex), Some("table_index")),
            (SkippedItem::Object(key), Some("n1/wal/1.wal")),
            (SkippedItem::Node("n2".to_owned()), Some("n2")),
            (SkippedItem::Name("other".to_owned()), Some("other")),
        ] {
            let json = serde_json::to_value(&item).expect("JSON");
            let expected = name.map_or_else(|| item.kind().into(), |name| serde_json::json!({ item.kind(): name }));
            assert_eq!(json, expected);
            assert_eq!(item.name(), name);
        }
    }

    #[test]
    fn what_is_skipped_reads_well() {
        let skipped = |item, reason, objects, bytes| Skipped { item, reason, objects, bytes }.to_string();
        let component = SkippedItem::Component(Component::TableSnapshot);
        assert_eq!(
            skipped(SkippedItem::Objects, Reason::Held, 10, 1 << 20),
            "10 objects already in the backup, 1.0 MiB"
        );
        assert_eq!(
            skipped(component, Reason::Derived, 1, 5),
            "table-snapshots, 1 object, 5 B (derived: InfluxDB makes it again)"
        );
        assert_eq!(
            skipped(SkippedItem::Node("n2".to_owned()), Reason::NodeExcluded, 0, 0),
            "node n2 (excluded by the caller)"
        );
    }
}
