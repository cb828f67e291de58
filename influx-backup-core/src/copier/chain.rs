//! Copiers, one after another.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Copied, Copier, CopyContext, CopyRequest, LocalCopier, StreamCopier, wait::unless_cancelled};
use crate::error::CopyError;

/// Copiers that are asked in turn: [`CopyError::Unsupported`] and [`CopyError::Refused`] pass a request to the next one.
/// [`Copied::refused_by`] names the copier whose store refused.
#[derive(Debug, Clone)]
pub struct Copiers(Vec<Arc<dyn Copier>>);

impl Copiers {
    /// These copiers, in this order.
    #[must_use]
    pub fn new(copiers: Vec<Arc<dyn Copier>>) -> Self {
        Self(copiers)
    }
}

#[async_trait]
impl Copier for Copiers {
    async fn copy(&self, request: &CopyRequest, context: &CopyContext) -> Result<Copied, CopyError> {
        let mut refused = None;
        for copier in &self.0 {
            // The copier before may still be removing what it has begun.
            unless_cancelled(&context.cancellation, context.clean_ups.finished()).await?;
            match copier.copy(request, context).await {
                Err(CopyError::Unsupported) => {}
                Err(CopyError::Refused { copier }) => refused = Some(copier),
                Ok(mut copied) => {
                    copied.refused_by = copied.refused_by.or(refused);
                    return Ok(copied);
                }
                Err(error) => return Err(error),
            }
        }
        Err(refused.map_or(CopyError::Unsupported, |copier| CopyError::Refused { copier }))
    }
}

/// The copiers that a backup and a restore use unless told otherwise.
#[must_use]
pub fn default_copiers() -> Arc<dyn Copier> {
    Arc::new(Copiers::new(vec![
        Arc::new(LocalCopier::default()),
        #[cfg(feature = "cloud")]
        Arc::new(super::ServerSideCopier::default()),
        Arc::new(StreamCopier::default()),
    ]))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::{
        Location,
        key::Key,
        location::{ObjectMeta, Version},
    };

    #[derive(Debug)]
    struct Says(&'static str, AtomicU32);

    #[async_trait]
    impl Copier for Says {
        async fn copy(&self, _: &CopyRequest, _: &CopyContext) -> Result<Copied, CopyError> {
            self.1.fetch_add(1, Ordering::Relaxed);
            match self.0 {
                "unsupported" => Err(CopyError::Unsupported),
                "refused" => Err(CopyError::Refused { copier: "refused".into() }),
                "vanished" => Err(CopyError::Vanished),
                name => Ok(Copied::unverified(0, name)),
            }
        }
    }

    /// Refuses, and removes what it began in the background.
    #[derive(Debug)]
    struct Untidy;

    #[async_trait]
    impl Copier for Untidy {
        async fn copy(&self, _: &CopyRequest, context: &CopyContext) -> Result<Copied, CopyError> {
            context.clean_ups.spawn(tokio::time::sleep(std::time::Duration::from_secs(5)));
            Err(CopyError::Refused { copier: "untidy".into() })
        }
    }

    fn request() -> CopyRequest {
        let version = Version { e_tag: None, id: None, modified: chrono::Utc::now() };
        let source = ObjectMeta { key: Key::parse("x").expect("a key"), size: 0, version };
        CopyRequest::new(Location::in_memory(), source, Location::in_memory())
    }

    async fn ask(answers: &[&'static str]) -> (Result<String, CopyError>, Vec<u32>) {
        let (answer, asked) = ask_all(answers).await;
        (answer.map(|copied| copied.copier.into_owned()), asked)
    }

    async fn ask_all(answers: &[&'static str]) -> (Result<Copied, CopyError>, Vec<u32>) {
        let copiers: Vec<_> = answers.iter().map(|answer| Arc::new(Says(answer, AtomicU32::new(0)))).collect();
        let chain = Copiers::new(copiers.iter().map(|copier| Arc::clone(copier) as Arc<dyn Copier>).collect());
        let answer = chain.copy(&request(), &CopyContext::default()).await;
        (answer, copiers.iter().map(|copier| copier.1.load(Ordering::Relaxed)).collect())
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_copier_waits_for_the_clean_up_of_the_one_before() {
        let chain = Copiers::new(vec![Arc::new(Untidy), Arc::new(Says("a", AtomicU32::new(0)))]);
        let began = tokio::time::Instant::now();
        chain.copy(&request(), &CopyContext::default()).await.expect("copied");
        assert_eq!(began.elapsed().as_secs(), 5);
    }

    #[tokio::test]
    async fn a_refusal_is_reported() {
        let (copied, asked) = ask_all(&["unsupported", "refused", "a"]).await;
        assert_eq!(copied.expect("copied").refused_by.as_deref(), Some("refused"));
        assert_eq!(asked, [1, 1, 1]);
        assert_eq!(ask_all(&["unsupported", "a"]).await.0.expect("copied").refused_by, None);
        assert!(matches!(ask(&["refused", "unsupported"]).await, (Err(CopyError::Refused { .. }), _)));
    }

    #[tokio::test]
    async fn only_unsupported_passes_a_request_on() {
        assert!(
            matches!(ask(&["unsupported", "a", "b"]).await, (Ok(name), asked) if name == "a" && asked == [1, 1, 0])
        );
        assert!(matches!(ask(&["vanished", "a"]).await, (Err(CopyError::Vanished), asked) if asked == [1, 0]));
        assert!(
            matches!(ask(&["unsupported", "unsupported"]).await, (Err(CopyError::Unsupported), asked) if asked == [1, 1])
        );
        assert!(matches!(ask(&[]).await, (Err(CopyError::Unsupported), _)));
    }
}
