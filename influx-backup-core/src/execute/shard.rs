//! [`ShardReport`]: what a worker reports of its part of a stage.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{CopyOutcome, CopySink};
use crate::{
    error::{Error, Result},
    key::Key,
    plan::{CopyTask, Stage},
};

/// The outcome of every object that a worker has finished, as data.
///
/// A coordinator [splits](Stage::split) a stage, gives each part to a worker as JSON, and [delivers](Self::deliver) their
/// reports to the sink that would have received the outcomes of the whole stage:
///
/// ```
/// # use influx_backup_core::{Limits, Result, Stage, default_copiers};
/// # use influx_backup_core::cancellation::Cancellation;
/// # use influx_backup_core::execute::{CopySink, Executor, Places, ShardReport};
/// async fn worker(part: &str, places: &Places) -> Result<String> {
///     let part: Stage = serde_json::from_str(part).expect("a part of a stage");
///     let executor = Executor::new(default_copiers(), Limits::default(), Cancellation::new());
///     let mut report = ShardReport::default();
///     executor.stage(&part, places, &mut report).await?;
///     Ok(serde_json::to_string(&report).expect("a report"))
/// }
///
/// async fn coordinator(stage: &Stage, places: &Places, sink: &mut dyn CopySink) -> Result<()> {
///     for part in stage.split(4) {
///         let part_as_json = serde_json::to_string(&part).expect("a part of a stage");
///         let report = worker(&part_as_json, places).await?; // on another machine
///         let report: ShardReport = serde_json::from_str(&report).expect("a report");
///         report.deliver(&part, sink).await?;
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ShardReport {
    outcomes: BTreeMap<Key, CopyOutcome>,
}

#[async_trait]
impl CopySink for ShardReport {
    async fn on_finished(&mut self, task: &CopyTask, outcome: CopyOutcome) -> Result<()> {
        self.outcomes.insert(task.to.clone(), outcome);
        Ok(())
    }
}

impl ShardReport {
    /// How many objects were finished.
    #[must_use]
    pub fn objects(&self) -> u64 {
        self.outcomes.len() as u64
    }

    /// Gives the outcomes to `sink`, as if `part` had been run here.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] where the report is not one of `part`: it names other objects (nothing is delivered then), or
    /// lacks some (after the others were delivered). The errors of the sink.
    pub async fn deliver(mut self, part: &Stage, sink: &mut dyn CopySink) -> Result<()> {
        let mut delivered = Vec::new();
        let mut missing = None;
        for task in part.tasks() {
            match self.outcomes.remove(&task.to) {
                Some(outcome) => delivered.push((task, outcome)),
                None => missing = missing.or(Some(task.to)),
            }
        }
        if let Some(key) = self.outcomes.keys().next() {
            return Err(invalid(format!("the part does not copy `{key}`")));
        }
        for (task, outcome) in delivered {
            sink.on_finished(&task, outcome).await?;
        }
        missing.map_or(Ok(()), |key| Err(invalid(format!("the report lacks `{key}`"))))
    }
}

fn invalid(reason: String) -> Error {
    Error::InvalidRequest { option: "report", reason }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::{
        Limits, Location,
        cancellation::Cancellation,
        copier::default_copiers,
        execute::{Executor, Places},
        layout::Component,
        plan::{PlaceRole, StageKind},
    };

    /// What a backup records of an object. Modification times differ from copy to copy.
    type Record = (Key, u64, String);

    #[derive(Default)]
    struct Records(Vec<Record>);

    #[async_trait]
    impl CopySink for Records {
        async fn on_finished(&mut self, task: &CopyTask, outcome: CopyOutcome) -> Result<()> {
            let record = match outcome {
                CopyOutcome::Copied(copied) => {
                    let facts = (&copied.content, &copied.stored.checksums, &copied.copier);
                    (task.to.clone(), copied.stored.size, format!("{facts:?}"))
                }
                outcome => (task.to.clone(), 0, format!("{outcome:?}")),
            };
            self.0.push(record);
            Ok(())
        }
    }

    async fn stage(from: &Location) -> Stage {
        for number in 0..7_usize {
            let key = Key::parse(format!("n/wal/{number}")).expect("a key");
            from.put(&key, Bytes::from(vec![7; number * 10])).await.expect("put");
        }
        let objects = from.list("").await.expect("listed").into_iter();
        let tasks = objects.map(|object| CopyTask::new(PlaceRole::Source, object, Component::Wal));
        from.delete(&Key::parse("n/wal/3").expect("a key")).await.expect("deleted");
        Stage::new(StageKind::Wal, None, tasks)
    }

    async fn run(stage: &Stage, from: &Location, to: &Location, sink: &mut dyn CopySink) {
        let places = Places::new(to.clone()).with(PlaceRole::Source, from.clone());
        let executor = Executor::new(default_copiers(), Limits::default(), Cancellation::new());
        executor.stage(stage, &places, sink).await.expect("copied");
    }

    #[tokio::test]
    async fn parts_of_a_stage_give_the_records_of_the_whole() {
        let from = Location::in_memory();
        let stage = stage(&from).await;
        let mut whole = Records::default();
        run(&stage, &from, &Location::in_memory(), &mut whole).await;

        let to = Location::in_memory();
        let mut joined = Records::default();
        let parts = stage.split(2);
        assert_eq!(parts.iter().map(Stage::objects).collect::<Vec<_>>(), [4, 3]);
        for part in &parts {
            let sent = serde_json::to_string(part).expect("serializes");
            let mut report = ShardReport::default();
            run(&serde_json::from_str(&sent).expect("reads"), &from, &to, &mut report).await;
            let answer = serde_json::to_string(&report).expect("serializes");
            let report: ShardReport = serde_json::from_str(&answer).expect("reads");
            assert_eq!(report.objects(), part.objects());
            report.deliver(part, &mut joined).await.expect("delivered");
        }
        whole.0.sort();
        joined.0.sort();
        assert_eq!(whole.0.len(), 7);
        assert_eq!(joined.0, whole.0);
        assert_eq!(to.list("").await.expect("listed").len(), 6, "one had vanished");
    }

    #[tokio::test]
    async fn a_report_belongs_to_its_part() {
        let from = Location::in_memory();
        let [first, second] = <[Stage; 2]>::try_from(stage(&from).await.split(2)).expect("two parts");
        let mut report = ShardReport::default();
        run(&first, &from, &Location::in_memory(), &mut report).await;
        let mut sink = Records::default();
        let error = report.clone().deliver(&second, &mut sink).await.expect_err("another part");
        assert_eq!((error.code(), sink.0.len()), ("invalid-request", 0));
        let lost = first.keys().next().expect("a key").clone();
        report.outcomes.remove(&lost);
        let error = report.deliver(&first, &mut sink).await.expect_err("incomplete");
        assert_eq!((error.code(), sink.0.len()), ("invalid-request", 3), "what is there counts");
    }
}
