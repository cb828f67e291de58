//! What goes wrong, where and when: pure data.

use std::{ops::Range, time::Duration};

use super::Hold;

/// One kind of operation of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// A read of a body, whole or in ranges.
    Get,
    /// A read of metadata alone.
    Head,
    /// A write in one request.
    Put,
    /// A listing, or one page of it where a rule makes it slow.
    List,
    /// A delete of one object.
    Delete,
    /// A copy inside the store.
    Copy,
    /// A rename inside the store.
    Rename,
    /// The start of a multipart upload.
    MultipartStart,
    /// One part of a multipart upload.
    Part,
    /// The end of a multipart upload, which makes the object appear.
    Complete,
    /// The end of a multipart upload that leaves nothing.
    Abort,
}

impl Op {
    /// Whether it changes the store.
    #[must_use]
    pub const fn is_write(self) -> bool {
        !matches!(self, Self::Get | Self::Head | Self::List)
    }
}

/// Which operations a rule is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    ops: Vec<Op>,
    below: Option<String>,
    containing: Option<String>,
    outside: Option<String>,
}

impl Scope {
    /// Every operation.
    #[must_use]
    pub fn any() -> Self {
        Self::default()
    }

    /// Operations of one kind.
    #[must_use]
    pub fn of(op: Op) -> Self {
        Self { ops: vec![op], ..Self::default() }
    }

    /// Every operation that changes the store.
    #[must_use]
    pub fn writes() -> Self {
        use Op::{Abort, Complete, Copy, Delete, MultipartStart, Part, Put, Rename};
        Self { ops: vec![Put, Delete, Copy, Rename, MultipartStart, Part, Complete, Abort], ..Self::default() }
    }

    /// Operations of this kind, too.
    #[must_use]
    pub fn or(mut self, op: Op) -> Self {
        self.ops.push(op);
        self
    }

    /// Only on keys that begin with `prefix`.
    #[must_use]
    pub fn below(mut self, prefix: impl Into<String>) -> Self {
        self.below = Some(prefix.into());
        self
    }

    /// Only on keys that contain `text`.
    #[must_use]
    pub fn containing(mut self, text: impl Into<String>) -> Self {
        self.containing = Some(text.into());
        self
    }

    /// Only on keys that do not contain `text`.
    #[must_use]
    pub fn outside(mut self, text: impl Into<String>) -> Self {
        self.outside = Some(text.into());
        self
    }

    pub(super) fn matches(&self, op: Op, path: &str) -> bool {
        (self.ops.is_empty() || self.ops.contains(&op))
            && self.below.as_ref().is_none_or(|prefix| path.starts_with(prefix.as_str()))
            && self.containing.as_ref().is_none_or(|text| path.contains(text.as_str()))
            && self.outside.as_ref().is_none_or(|text| !path.contains(text.as_str()))
    }
}

/// When a rule applies. Operations are counted per rule, from 1, among those of its scope.
#[derive(Debug, Clone, PartialEq)]
pub enum When {
    /// Every time.
    Always,
    /// The n-th time.
    Nth(u64),
    /// The n-th time and ever after.
    From(u64),
    /// From the first number to before the second: a burst.
    Burst(Range<u64>),
    /// With this probability, 0 to 1.
    Chance(f64),
    /// Between these times since the store was made: a server that dies and comes back.
    Between(Range<Duration>),
}

/// What happens to an operation.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// It is not carried out and fails.
    Fail(Failure),
    /// It *is* carried out, and the answer is lost: the caller sees a failure.
    LoseAnswer(Failure),
    /// It takes a time from this range: a part of it passes before it is carried out, the rest before the answer.
    Delay(Range<Duration>),
    /// A write in one request, or a deletion, is carried out after a time from this range, also where the caller waits for
    /// it no longer: it was sent.
    Late(Range<Duration>),
    /// It is carried out, and its answer withheld.
    Hold(Hold),
    /// The body ends with an error after this fraction of its bytes.
    CutBodyWithError(f64),
    /// The body ends after this fraction of its bytes as if that were all; size and range still promise the whole.
    CutBodySilently(f64),
    /// The body comes in chunks of at most `chunk` bytes, with a pause before each.
    SlowBody {
        /// Bytes a chunk.
        chunk: usize,
        /// The pause before each chunk.
        pause: Duration,
    },
    /// A listing reads `page` keys at a time, in the order of the keys, and pauses between pages: what appears behind the cursor is
    /// missed, what disappears before it is missed, too. Each page is logged as an operation and can fail by itself.
    SlowList {
        /// Keys a page.
        page: usize,
        /// The pause between two pages.
        pause: Duration,
    },
    /// A listing gives every key of each page of `page` keys twice.
    RepeatPages {
        /// Keys a page.
        page: usize,
    },
    /// A create-only write overwrites what is there: the store has never heard of preconditions.
    IgnoreCreateOnly,
    /// A write in the place of one version overwrites any.
    IgnoreVersion,
    /// A write in one request, or a copy, is carried out and does not stay as it is.
    Decay {
        /// What becomes of the object.
        into: Decay,
        /// How long after the write, a time from this range.
        after: Range<Duration>,
    },
    /// A listing fails after this many keys.
    BreakList {
        /// Keys given before the error.
        after: usize,
    },
}

/// What becomes of an object after it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Decay {
    /// It is deleted, as by a lifecycle rule or by a request that arrives late.
    Lost,
    /// Half of its bytes are left.
    Truncated,
    /// It has other bytes of the same length.
    Replaced,
    /// The same write arrives once more.
    WrittenAgain,
}

/// How an operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Failure {
    /// The store asks to slow down: 503.
    Throttled,
    /// The store does not answer.
    Unreachable,
    /// The object is not there, or not there any more.
    NotFound,
    /// The object is no longer the version that was asked for.
    Changed,
    /// Access is denied.
    Denied,
    /// No space is left.
    Full,
    /// The store is read-only.
    ReadOnly,
    /// Something else.
    Other,
    /// The process is dead: nothing works any more.
    Crashed,
    /// The client has a bug: it panics.
    Panic,
}

/// One rule of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    pub(super) scope: Scope,
    pub(super) when: When,
    pub(super) fault: Fault,
    pub(super) most: u64,
}

impl Rule {
    /// Does `fault` to the operations of `scope`, `when` it says.
    #[must_use]
    pub fn new(scope: Scope, when: When, fault: Fault) -> Self {
        Self { scope, when, fault, most: u64::MAX }
    }

    /// Applies at most `n` times, so that a run with retries ends.
    #[must_use]
    pub fn at_most(mut self, n: u64) -> Self {
        self.most = n;
        self
    }
}

/// What goes wrong with a store. The same plan and the same operations give the same run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FaultPlan {
    pub(super) seed: u64,
    pub(super) rules: Vec<Rule>,
    pub(super) disk: Option<u64>,
    pub(super) crash_after: Option<u64>,
    pub(super) clock_behind: Duration,
}

impl FaultPlan {
    /// Nothing goes wrong; operations are still logged.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// A plan without rules whose chances and delays come from `seed`.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// Adds a rule. All rules that apply to an operation act together; of several failures the first counts.
    #[must_use]
    pub fn with(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Every operation takes a time from this range.
    #[must_use]
    pub fn latency(self, range: Range<Duration>) -> Self {
        self.with(Rule::new(Scope::any(), When::Always, Fault::Delay(range)))
    }

    /// Writes fail with [`Failure::Full`] as soon as they would bring the bytes written to more than `bytes`.
    #[must_use]
    pub fn disk_full_after(mut self, bytes: u64) -> Self {
        self.disk = Some(bytes);
        self
    }

    /// The store's clock is this far behind: what it says of when objects were written.
    #[must_use]
    pub fn clock_behind(mut self, by: Duration) -> Self {
        self.clock_behind = by;
        self
    }

    /// Every write fails.
    #[must_use]
    pub fn read_only(self) -> Self {
        self.with(Rule::new(Scope::writes(), When::Always, Fault::Fail(Failure::ReadOnly)))
    }

    /// The process dies with the `writes`-th operation that changes the store: it is carried out, its answer never comes, and all
    /// later operations fail. 0: nothing works at all.
    #[must_use]
    pub fn crash_after_writes(mut self, writes: u64) -> Self {
        self.crash_after = Some(writes);
        self
    }

    /// The store is away between these times since it was made.
    #[must_use]
    pub fn outage(self, from: Duration, until: Duration) -> Self {
        self.with(Rule::new(Scope::any(), When::Between(from..until), Fault::Fail(Failure::Unreachable)))
    }

    /// The faults of a bad day, chosen by `seed`: each of them is transient and limited, so that a caller that retries gets through.
    /// No object is damaged for good; deleting, copying and listing are hit as well as reading and writing.
    #[must_use]
    pub fn bad_day(seed: u64) -> Self {
        use rand::{Rng, SeedableRng, rngs::StdRng};
        let mut rng = StdRng::seed_from_u64(seed ^ 0xbad_da7);
        let mut plan = Self::seeded(seed);
        let ms = Duration::from_millis;
        if rng.random_bool(0.8) {
            plan = plan.latency(ms(0)..ms(rng.random_range(1..40)));
        }
        if rng.random_bool(0.4) {
            let from = rng.random_range(1..200);
            let burst = When::Burst(from..from + rng.random_range(1..4));
            plan = plan.with(Rule::new(Scope::any(), burst, Fault::Fail(Failure::Throttled)));
        }
        let maybe = [
            (Scope::of(Op::Get), Fault::Fail(Failure::Unreachable)),
            (Scope::of(Op::Get), Fault::CutBodyWithError(rng.random_range(0.0..1.0))),
            (Scope::of(Op::Get), Fault::CutBodySilently(rng.random_range(0.0..1.0))),
            (Scope::of(Op::List), Fault::Fail(Failure::Throttled)),
            (Scope::of(Op::List), Fault::BreakList { after: rng.random_range(0..20) }),
            (Scope::writes(), Fault::Fail(Failure::Other)),
            (Scope::of(Op::Put), Fault::LoseAnswer(Failure::Unreachable)),
        ];
        for (scope, fault) in maybe {
            if rng.random_bool(0.25) {
                let chance = When::Chance(rng.random_range(0.005..0.05));
                plan = plan.with(Rule::new(scope, chance, fault).at_most(rng.random_range(1..4)));
            }
        }
        if rng.random_bool(0.5) {
            let slow = Fault::SlowList { page: rng.random_range(1..30), pause: ms(rng.random_range(1..60)) };
            plan = plan.with(Rule::new(Scope::of(Op::List), When::Always, slow));
        }
        if rng.random_bool(0.2) {
            let repeat = Fault::RepeatPages { page: rng.random_range(1..10) };
            plan = plan.with(Rule::new(Scope::of(Op::List), When::Chance(0.5), repeat));
        }
        plan
    }
}
