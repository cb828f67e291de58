//! The catalog of a model: logs, a root that is overwritten now and then, a migration.

use std::{collections::BTreeMap, sync::atomic::Ordering, time::Duration};

use bytes::Bytes;
use rand::{Rng, rngs::StdRng};

use super::{
    Behavior, Hardship, Table, World,
    hand::{Crashed, Hand, Write},
};
use influx_backup_core::{
    layout::Generation,
    testing::write::{self, CatalogOp, CatalogSpec, DatabaseSpec, NodeSpec},
};

/// A change of the catalog: one log.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Register(String),
    CreateTable,
    AddColumn(u32),
    Drop(u32),
}

#[derive(Debug)]
pub(super) struct Catalog {
    owner: String,
    generation: Generation,
    uuid: u128,
    sequence: u64,
    root: u64,
    /// After how many logs the root is written again.
    every: u64,
    /// The first log that was not deleted.
    first_log: u64,
    nodes: BTreeMap<String, NodeSpec>,
    facts: Vec<String>,
    tables: u32,
    columns: BTreeMap<u32, u32>,
}

impl Catalog {
    pub(super) fn new(owner: &str, generation: Generation, rng: &mut StdRng) -> Self {
        Self {
            owner: owner.to_owned(),
            generation,
            uuid: rng.random(),
            sequence: 0,
            root: 0,
            every: rng.random_range(2..8),
            first_log: 1,
            nodes: BTreeMap::new(),
            facts: Vec::new(),
            tables: 0,
            columns: BTreeMap::new(),
        }
    }

    fn root_bytes(&self, generation: Generation) -> Bytes {
        let databases = self.facts.iter().enumerate().map(|(number, fact)| database(number, fact)).collect();
        let nodes = self.nodes.values().cloned().collect();
        let spec =
            CatalogSpec { catalog_id: self.owner.clone(), uuid: self.uuid, sequence: self.sequence, nodes, databases };
        write::catalog_root(generation, &spec)
    }

    fn root_key(&self, generation: Generation) -> String {
        format!("{}/{}", self.owner, generation.root())
    }

    fn log_key(&self, sequence: u64) -> String {
        format!("{}/{}/{}", self.owner, self.generation.logs(), write::catalog_log_name(sequence))
    }

    /// The record of a change.
    fn op(&self, change: &Change) -> CatalogOp {
        match change {
            Change::Register(id) => CatalogOp::RegisterNode(self.nodes.get(id).cloned().unwrap_or_else(|| NodeSpec {
                number: self.nodes.len() as u8,
                node_id: id.clone(),
                instance: self.uuid ^ (self.nodes.len() as u128 + 1),
                mode: "Ingest".to_owned(),
            })),
            Change::CreateTable => self.fact(format!("table-{}", self.tables)),
            Change::AddColumn(table) => {
                self.fact(format!("column-{table}-{}", self.columns.get(table).unwrap_or(&1) + 1))
            }
            Change::Drop(table) => self.fact(format!("drop-{table}")),
        }
    }

    fn fact(&self, name: String) -> CatalogOp {
        CatalogOp::CreateDatabase(database(self.facts.len(), &name))
    }

    fn apply(&mut self, change: &Change, op: CatalogOp) {
        self.sequence += 1;
        match op {
            CatalogOp::RegisterNode(node) => {
                self.nodes.insert(node.node_id.clone(), node);
            }
            CatalogOp::CreateDatabase(database) => self.facts.push(database.name),
            CatalogOp::SetGenerationDuration => {}
        }
        match change {
            Change::CreateTable => {
                self.columns.insert(self.tables, 1);
                self.tables += 1;
            }
            Change::AddColumn(table) => *self.columns.entry(*table).or_insert(1) += 1,
            Change::Register(_) | Change::Drop(_) => {}
        }
    }
}

/// Numbers in records are one byte here; only names matter to the reader.
fn database(number: usize, name: &str) -> DatabaseSpec {
    DatabaseSpec { number: (number % 256) as u8, name: name.to_owned() }
}

/// Writes the first root.
pub(super) async fn found(world: &World, hand: &mut Hand) {
    let catalog = world.catalog.lock().await;
    let key = catalog.root_key(catalog.generation);
    let root = catalog.root_bytes(catalog.generation);
    hand.put(&key, root, Write::Overwrite, || ()).await.ok();
}

/// Makes a change: its log, and the root where that is due.
pub(super) async fn change(world: &World, hand: &mut Hand, change: Change) -> Result<(), Crashed> {
    let mut catalog = world.catalog.lock().await;
    if let Change::AddColumn(table) | Change::Drop(table) = change
        && !world.tables().contains_key(&table)
    {
        return Ok(());
    }
    let op = catalog.op(&change);
    let sequence = catalog.sequence + 1;
    let log = write::catalog_log(catalog.generation, sequence, catalog.uuid, std::slice::from_ref(&op));
    let key = catalog.log_key(sequence);
    if let Change::Drop(table) = change {
        let now = world.now();
        world.history().tables.entry(table).or_default().drop_began = Some(now);
    }
    let retention = match hand.rng.random_range(0..10) {
        0..3 => Some(world.options.pace.mul_f64(hand.rng.random_range(4.0..40.0))),
        _ => None::<Duration>,
    };
    let stored = || {
        let created = catalog.tables;
        catalog.apply(&change, op);
        world.sequence.store(catalog.sequence, Ordering::SeqCst);
        match change {
            Change::Register(_) => {}
            Change::CreateTable => {
                let retention = retention.filter(|_| world.has(Behavior::Retention));
                world.history().tables.insert(created, Table { retention, ..Table::default() });
                world.tables().insert(created, 1);
            }
            Change::AddColumn(table) => {
                world.note(Behavior::SchemaChange);
                world.tables().entry(table).and_modify(|columns| *columns += 1);
            }
            Change::Drop(table) => {
                world.note(Behavior::TableDrop);
                world.tables().remove(&table);
                let now = world.now();
                world.history().tables.entry(table).or_default().dropped = Some(now);
            }
        }
    };
    hand.put(&key, log, Write::Create, stored).await?;
    if catalog.sequence < catalog.root + catalog.every {
        return Ok(());
    }
    let key = catalog.root_key(catalog.generation);
    let root = catalog.root_bytes(catalog.generation);
    hand.put(&key, root, Write::Overwrite, || catalog.root = catalog.sequence).await?;
    if world.has(Behavior::LogCollection) && catalog.generation == Generation::V3 {
        world.note(Behavior::LogCollection);
        while catalog.first_log <= catalog.root {
            let key = catalog.log_key(catalog.first_log);
            hand.delete(&key).await?;
            catalog.first_log += 1;
        }
    }
    Ok(())
}

/// Moves the catalog to the next generation: terminator, a pause, new root. No change gets in between.
pub(super) async fn migrate(world: &World, hand: &mut Hand) -> Result<(), Crashed> {
    let mut catalog = world.catalog.lock().await;
    let next = match catalog.generation {
        Generation::V1 => Generation::V2,
        Generation::V2 => Generation::V3,
        _ => return Ok(()),
    };
    world.note(Behavior::Migration);
    let key = catalog.log_key(catalog.sequence + 1);
    hand.put(&key, write::terminator(catalog.generation), Write::Create, || ()).await?;
    let terminated = world.now();
    hand.pause(world.options.pace..world.options.pace * 10).await;
    let key = catalog.root_key(next);
    let root = catalog.root_bytes(next);
    hand.put(&key, root, Write::Overwrite, || {
        catalog.generation = next;
        catalog.root = catalog.sequence;
        catalog.first_log = catalog.sequence + 1;
        world.endure(Hardship::Migrated { terminated });
    })
    .await
}
